"""``python -m convspec``."""

import runpy

if __name__ == "__main__":
    runpy.run_module(f"{__package__}.spec_tests", run_name="__main__", alter_sys=True)
