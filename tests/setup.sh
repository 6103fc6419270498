# What building and testing needs, brought when it is missing. Sourced by ./run-demo and tests/run.
# shellcheck shell=bash

# where rustup puts cargo, whether or not the login shell knows it yet
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# A command as root: as it is, by sudo, or not at all.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif has sudo; then sudo "$@"
  else die "this needs root, and there is no sudo here: $*"; fi
}

# What a package of Debian is called where there is dnf.
name_for_dnf() {
  case $1 in
    libc6-dev) echo glibc-devel ;;
    golang-go) echo golang ;;
    *-jdk-headless) echo java-17-openjdk-devel ;;
    *) echo "$1" ;;
  esac
}

# Packages of the distribution, by Debian's names; the first argument says what they are wanted for.
install_packages() {
  local wanted=$1 package; shift
  if ! has apt-get && has dnf; then
    for package; do shift; set -- "$@" "$(name_for_dnf "$package")"; done
  fi
  say "no $wanted here: installing $*"
  if has apt-get; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" </dev/null >&2
  elif has dnf; then as_root dnf -q -y install "$@" </dev/null >&2
  else die "no $wanted, and neither apt-get nor dnf to install it with: install it and try again"; fi
}

need_c_compiler() {
  has cc && return
  install_packages "C compiler" gcc libc6-dev
  has cc || die "there is still no cc"
}

# The oldest Rust that builds this, as Cargo.toml says.
rust_wanted() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

rust_is_new_enough() {
  local version
  version=$(cd "$ROOT" && cargo --version 2>/dev/null | cut -d' ' -f2) && [ -n "$version" ] || return 1
  [ "$(printf '%s\n' "$(rust_wanted)" "$version" | sort -V | head -n1)" = "$(rust_wanted)" ]
}

need_rust() {
  rust_is_new_enough && return
  if has rustup; then
    say "no Rust $(rust_wanted) here: updating the stable toolchain by rustup"
    rustup -q toolchain install stable --profile minimal --component rustfmt,clippy </dev/null >&2
  else
    need_curl
    say "no Rust $(rust_wanted) here: installing the stable toolchain by rustup"
    curl --proto '=https' --tlsv1.2 -sSf "${RUSTUP_INIT_URL:-https://static.rust-lang.org/rustup/rustup-init.sh}" |
      sh -s -- -q -y --no-modify-path --profile minimal --default-toolchain stable --component rustfmt --component clippy >&2
  fi
  hash -r
  rust_is_new_enough || die "cargo is still older than Rust $(rust_wanted)"
}

need_rust_tools() {
  (cd "$ROOT" && cargo fmt --version && cargo clippy --version) >/dev/null 2>&1 && return
  has rustup || die "no rustfmt and clippy beside $(command -v cargo): install them and try again"
  say "no rustfmt or clippy here: adding them by rustup"
  (cd "$ROOT" && rustup -q component add rustfmt clippy) </dev/null >&2
}

need_curl() { has curl || install_packages curl curl ca-certificates; }

need_python() {
  has python3 || install_packages Python python3
  python3 -m pip --version >/dev/null 2>&1 || install_packages pip python3-pip
}

need_java() {
  local version
  version=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p') || version=
  [ "${version:-0}" -ge 17 ] && return
  if apt-cache policy openjdk-17-jdk-headless 2>/dev/null | grep -q 'Candidate: [^(]'
  then install_packages "JDK 17" openjdk-17-jdk-headless
  else install_packages "JDK 17" default-jdk-headless; fi
}

# The peers that remote-write is tried with. Its path is left in $SERVER.
need_prometheus_3() {
  # what finds targets in clouds is most of its code, and none of it is needed here
  BUILD_TAGS=remove_all_sd \
    need_built_server prometheus prometheus github.com/prometheus/prometheus/cmd/prometheus v0.315.0 && return
  say "cannot build Prometheus 3: taking what Debian unstable has"
  need_unstable_server prometheus prometheus
}
need_victoria_metrics() {
  need_built_server victoria-metrics victoria-metrics github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics v1.150.0
}
need_vmagent() { need_built_server vmagent vmagent github.com/VictoriaMetrics/VictoriaMetrics/app/vmagent v1.150.0; }

# The newest version of a server, built with Go; where that cannot be, what the distribution has.
#   need_newest_server NAME PACKAGE MODULE VERSION     its path is left in $SERVER
need_newest_server() {
  need_built_server "$@" && return
  say "cannot build $3 $4: taking what the distribution has"
  need_server "$2" "$2" "$3" "$4"
}

# A server at exactly this version, built with Go.
#   need_built_server NAME PACKAGE MODULE VERSION     its path is left in $SERVER
need_built_server() {
  local name=$1 package=$2 module=$3 version=$4 folder
  SERVER=$CACHE/$package-$version/usr/bin/$name
  [ -x "$SERVER" ] && return
  folder=$(mktemp -d "$CACHE/.new.XXXXXX")
  say "building $module $version with Go"
  if ! build_module "$name" "$module" "$version" "$folder"; then
    rm -rf "$folder"
    return 1
  fi
  rm -rf "${CACHE:?}/$package-$version"
  mv "$folder" "$CACHE/$package-$version"
}

# A server as Debian unstable has it, whatever the distribution, unpacked into the cache.
#   need_unstable_server NAME PACKAGE     its path is left in $SERVER
need_unstable_server() {
  local name=$1 package=$2 folder apt
  SERVER=$CACHE/$package-unstable/usr/bin/$name
  [ -x "$SERVER" ] && return
  folder=$(mktemp -d "$CACHE/.new.XXXXXX")
  apt=$folder/apt
  mkdir -p "$apt/lists/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian unstable main" >"$apt/sources.list"
  # an apt of its own, so that the distribution's own sources stay as they are
  cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$apt/lists";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
CONF
  if ! { APT_CONFIG=$apt/apt.conf apt-get -qq -o APT::Sandbox::User=root update </dev/null >&2 &&
    APT_CONFIG=$apt/apt.conf unpack_package "$package" "$folder"; }; then
    rm -rf "$folder"
    die "cannot get $name of Debian unstable: install it and try again"
  fi
  rm -rf "$apt" "${CACHE:?}/$package-unstable"
  mv "$folder" "$CACHE/$package-unstable"
}

# Go that can fetch a newer one where a module wants it, as it has been able to since 1.21. An older one, such as that of
# Debian 12, fetches it as the module that it is.
need_go() {
  PATH=$CACHE/go/bin:$PATH
  go_is_new_enough && return
  has go || install_packages Go golang-go
  go_is_new_enough || fetch_go 1.26.8
  go_is_new_enough || die "Go is older than 1.21: install a newer one from https://go.dev/dl and try again"
}

fetch_go() {
  local version=$1 folder
  say "Go is older than 1.21: fetching $version by it"
  folder=$(GOROOT='' go mod download -json "golang.org/toolchain@v0.0.1-go$version.linux-$(go env GOARCH)" |
    sed -n 's/^.*"Dir": "\(.*\)",*$/\1/p') && [ -n "$folder" ] || return 1
  rm -rf "${CACHE:?}/go"
  # modules have no modes of files
  cp -R "$folder" "$CACHE/go" && chmod -R u+w "$CACHE/go" && chmod +x "$CACHE"/go/bin/* "$CACHE"/go/pkg/tool/*/*
  hash -r
}

go_is_new_enough() {
  local version
  version=$(go env GOVERSION 2>/dev/null) && [ -n "$version" ] || return 1
  [ "$(printf '%s\n' 1.21 "${version#go}" | sort -V | head -n1)" = 1.21 ]
}

# A server of the Prometheus family, unpacked into the cache instead of installed, so that no service is started.
#   need_server NAME PACKAGE MODULE VERSION     its path is left in $SERVER
need_server() {
  local name=$1 package=$2 module=$3 version=$4 folder
  SERVER=$CACHE/$package/usr/bin/$name
  [ -x "$SERVER" ] && return
  if has "$name"; then SERVER=$(command -v "$name"); return; fi
  folder=$(mktemp -d "$CACHE/.new.XXXXXX")
  say "no $name here: unpacking the package $package into $CACHE"
  if ! { unpack_package "$package" "$folder" || { as_root apt-get -qq update </dev/null && unpack_package "$package" "$folder"; }; }; then
    say "no package $package: building $module $version with Go"
    build_module "$name" "$module" "$version" "$folder" || die "cannot get $name: install it and try again"
  fi
  rm -rf "${CACHE:?}/$package"
  mv "$folder" "$CACHE/$package"
}

unpack_package() {
  local package=$1 folder=$2
  has apt-get && has dpkg-deb || return 1
  # apt drops its rights while it downloads; it cannot within a folder that is closed to others
  chmod 755 "$folder"
  (cd "$folder" && apt-get -qq -o APT::Sandbox::User=root download "$package" >&2 && dpkg-deb -x ./*.deb . && rm -f ./*.deb) 2>/dev/null
}

build_module() {
  local name=$1 module=$2 version=$3 folder=$4
  (need_go) || return 1
  local PATH=$CACHE/go/bin:$PATH
  mkdir -p "$folder/src" "$folder/usr/bin"
  (cd "$folder/src" && printf 'module proving\n' >go.mod &&
    go get -tags "${BUILD_TAGS:-}" "$module@$version" &&
    nice go build -tags "${BUILD_TAGS:-}" -o "$folder/usr/bin/$name" "$module") >&2
  local built=$?
  rm -rf "$folder/src"
  return $built
}
