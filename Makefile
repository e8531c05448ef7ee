# Each target sets up what it needs in .venv; scripts/dev.sh TARGET does the same without make.
.PHONY: demo check soak bench test lint types docs
demo: ; @scripts/dev.sh demo
check: ; @scripts/dev.sh check
soak: ; @scripts/dev.sh soak
bench: ; @scripts/dev.sh bench
test: ; @scripts/dev.sh test
lint: ; @scripts/dev.sh lint
types: ; @scripts/dev.sh types
docs: ; @scripts/dev.sh docs
