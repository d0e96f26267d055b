# Every command is written in tools/dev.py, so that Windows can run it without make.
PYTHON ?= python3
COMMANDS = run test setup check lint soak bench bench-sync bench-content bench-night room screenshots assets strings migration lock

help:
	@echo "Outpost: make COMMAND, or python tools/dev.py COMMAND"
	@$(PYTHON) tools/dev.py

$(COMMANDS):
	@$(PYTHON) tools/dev.py $@

.PHONY: help $(COMMANDS)
