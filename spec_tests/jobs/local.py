"""The pool of this machine: it runs as many jobs at a time as there are workers."""

import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from types import TracebackType
from typing import Self

from .job import STOPPED, Failed, Job, perform


class Local:
    """Runs jobs in threads. A job with ``apart`` runs in a process that its thread keeps for such jobs."""

    def __init__(self, workers: int) -> None:
        self._threads, self._own = ThreadPoolExecutor(workers), threading.local()
        self._processes: list[ProcessPoolExecutor] = []
        self._busy = set[int]()  # IDs of processes that run a job
        self._why = ""

    def __enter__(self) -> Self:
        return self

    def submit(self, job: Job) -> Future[str]:
        """Start a job; the future holds the answer of ``perform``, or an error if the job's process was lost."""
        return self._threads.submit(self._do, job)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Start no other job, and end those that are running."""
        self._why = "the run was ended"
        for number in list(self._busy):
            with suppress(OSError):  # it has ended
                os.kill(number, signal.SIGTERM)
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.shutdown()

    def _do(self, job: Job) -> str:
        STOPPED.set(lambda: self._why)
        arguments = json.dumps(job.arguments)
        if not job.apart:
            return perform(job.function, arguments)
        process, number = self._process()
        self._busy.add(number)
        try:
            if self._why:  # the process was started while the run ended
                raise Failed(self._why)
            return process.submit(perform, job.function, arguments).result()
        except BrokenProcessPool as error:
            del self._own.process
            raise Failed("its process ended before it was done") from error
        finally:
            self._busy.discard(number)

    def _process(self) -> tuple[ProcessPoolExecutor, int]:
        """The process of this thread, and its ID; each thread has one, so the loss of a process costs one job."""
        if not hasattr(self._own, "process"):
            process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))  # a fork would not copy threads
            self._processes.append(process)
            self._own.process = process, process.submit(os.getpid).result()
        kept: tuple[ProcessPoolExecutor, int] = self._own.process
        return kept
