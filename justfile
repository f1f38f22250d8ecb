# One verb for each check. The scripts in .ci are what counts; `just` alone lists the verbs.

_default:
    @just --list --unsorted

# the tests
test:
    cargo test --workspace --all-features

# the tests of one topic, such as `just topic close::peer`
topic name:
    cargo test -p it {{ name }}

# format, lints, documentation
lint:
    .ci/lint

# formats all code
fmt:
    for manifest in $(grep -l '^\[workspace\]' Cargo.toml */Cargo.toml */*/Cargo.toml); do cargo fmt --all --manifest-path $manifest; done

# spelling, and words to avoid
words:
    .ci/words

# each feature alone
features:
    .ci/features

# licences, sources and advisories of dependencies
deps:
    .ci/deps

# the oldest compiler
msrv:
    .ci/msrv

# the oldest dependencies
minimal:
    .ci/minimal

# the build for browsers
wasm:
    .ci/wasm

# the tests in a browser
browser:
    .ci/browser

# the Autobahn test suite
autobahn:
    .ci/autobahn

# the same, with all sizes of its compressed cases
nightly:
    .ci/nightly

# the public API against its lists
api:
    .ci/api

# what the two commands of the README cost
cost:
    .ci/cost

# the benchmarks against other libraries
bench:
    cargo run --release --manifest-path benches/peers/Cargo.toml

# each fuzz target for some seconds
fuzz seconds="20":
    .ci/fuzz {{ seconds }}

# new seeds and fuzzing, for hours
soak hours:
    .ci/soak {{ hours }}

# new seeds of the simulation
seeds count="100000":
    WS_FRAMED_SEEDS={{ count }} cargo test --release --all-features --lib simulation_holds

# both packages
publish:
    .ci/publish

# everything that is checked before a merge
ci:
    .ci/run
