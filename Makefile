# Every command makes what it needs first; the second time that takes no time.

python := .venv/bin/python

.PHONY: demo test coverage test-k8s lint types check api site release clean

demo: .venv/ready  ## the demo in the browser; ARGS="--port 9000 --workers 3"
	@$(python) -m socketio_cluster demo $(ARGS)

test: .venv/ready  ## all tests; ARGS="tests/nodes -k ack"; JOBS=1 for one file at a time
	@scripts/setup-tests
	@scripts/test $(ARGS)

coverage: .venv/ready  ## all tests, and the lines of manager/ and cluster/ that none of them runs: 5 % at most
	@scripts/setup-tests
	@rm -rf .coverage
	@mkdir .coverage
	@COVERAGE=yes scripts/test $(ARGS)
	@$(python) -m coverage combine --quiet
	@$(python) -m coverage report

test-k8s: .venv/ready  ## the chart on the Kubernetes cluster that KUBECONFIG names: docs/kubernetes.md
	@scripts/test-k8s $(ARGS)

lint: .venv/ready
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .

types: .venv/ready
	@$(python) -m mypy

check: lint types test

api: .venv/ready  ## write docs/api.md from the docstrings
	@$(python) scripts/api.py

site: .venv/ready  ## the documentation as a site with search, in build/site
	@$(python) -m sphinx -b html -W --keep-going -n -q -c docs/site . build/site
	@echo "open build/site/index.html"

release: .venv/ready  ## check and build this version, and publish nothing: docs/releasing.md
	@$(python) scripts/release.py

clean:
	@rm -rf .venv tests/js/node_modules .pytest_cache .coverage .mypy_cache .ruff_cache build dist

.venv/ready: pyproject.toml scripts/setup hatch_build.py $(wildcard cluster/*/_*.c manager/*/_*.c manager/native/*.h)
	@scripts/setup
