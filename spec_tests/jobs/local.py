"""The pool of this machine: as many jobs side by side as there are workers."""

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
    """Jobs are done in threads. One that is to be apart is done in a process that its thread keeps for such jobs."""

    def __init__(self, workers: int) -> None:
        self._threads, self._own = ThreadPoolExecutor(workers), threading.local()
        self._processes: dict[int, ProcessPoolExecutor] = {}  # by their number
        self._why = ""

    def __enter__(self) -> Self:
        return self

    def submit(self, job: Job) -> Future[str]:
        """What ``perform`` says; an error where the process of a job was lost."""
        return self._threads.submit(self._do, job)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Begin no other job, and end those that are being done."""
        self._why = "the run was ended"
        for number in list(self._processes):
            with suppress(OSError):  # it went by itself
                os.kill(number, signal.SIGTERM)
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes.values():
            process.shutdown()

    def _do(self, job: Job) -> str:
        STOPPED.set(lambda: self._why)
        arguments = json.dumps(job.arguments)
        if not job.apart:
            return perform(job.function, arguments)
        process = self._process()
        try:
            if self._why:  # it was started while the run ended
                raise Failed(self._why)
            return process.submit(perform, job.function, arguments).result()
        except BrokenProcessPool as error:
            self._processes.pop(self._own.number, None)
            del self._own.process
            raise Failed("its process ended before it was done") from error

    def _process(self) -> ProcessPoolExecutor:
        """Of this thread; with one each, the loss of a process costs one job. ``spawn``: threads are not forked."""
        if not hasattr(self._own, "process"):
            self._own.process, self._own.number = ProcessPoolExecutor(1, multiprocessing.get_context("spawn")), 0
            self._own.number = self._own.process.submit(os.getpid).result()
            self._processes[self._own.number] = self._own.process
        process: ProcessPoolExecutor = self._own.process
        return process
