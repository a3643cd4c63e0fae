#!/bin/sh
# `make install` and `make uninstall`: the command in a venv of its own at PREFIX, and its services. DESTDIR goes before every path.
# PYTHON is what the venv is made with. What an installation before left is replaced when the new one is whole, and not before.
set -eu
umask 022   # services read what is installed, and root alone writes it
: "${PREFIX:=/opt/pantau112}" "${DESTDIR:=}" "${PYTHON:=python3}"
here=$(dirname "$0")
root=$here/../..
units=$DESTDIR/usr/local/lib/systemd/system
sysusers=$DESTDIR/usr/local/lib/sysusers.d/pantau112.conf
tmpfiles=$DESTDIR/usr/local/lib/tmpfiles.d/pantau112.conf
command=$DESTDIR/usr/local/bin/pantau112
settings=$DESTDIR/etc/pantau112/pantau112.env

die() { echo "pantau112: $1" >&2; exit 1; }
# With DESTDIR a package is made for another machine.
here_runs_systemd() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

case $PREFIX in
  *[!A-Za-z0-9/._-]*|[!/]*) die "PREFIX must be a whole path of letters, figures, - . and _: $PREFIX" ;;
esac
venv=$DESTDIR$PREFIX
# A folder that holds anything else is left alone: what is in it is removed later.
[ ! -e "$venv" ] || [ -e "$venv/.pantau112" ] || die "$venv is there, and no pantau112: choose another PREFIX, or remove it"

install_() {
  rm -rf "$venv.new" "$venv.old"
  trap 'rm -rf "$venv.new"' EXIT
  "$PYTHON" -m venv "$venv.new"
  pip() { "$venv.new/bin/python" -m pip --disable-pip-version-check -q "$@"; }
  pip install --require-hashes --no-deps --only-binary :all: -r "$root/requirements-build.lock" -r "$root/requirements.lock"
  # A copy: setuptools would leave its own files among ours, and take old ones of them into the wheel.
  mkdir "$venv.new/source"
  (cd "$root" && tar -c --exclude=__pycache__ schemas streams dashboards pyproject.toml README.md LICENSE) | tar -x -C "$venv.new/source"
  pip install --no-deps --no-build-isolation "$venv.new/source"
  rm -rf "$venv.new/source"
  # A lock that lacks something makes no whole installation.
  lacks=$("$venv.new/bin/python" -m pip check) || die "requirements.lock: $lacks"
  # Scripts say where their Python is: that will be PREFIX.
  grep -rlIF "$venv.new" "$venv.new/bin" "$venv.new/pyvenv.cfg" | while read -r file; do
    sed -i "s|$venv\.new|$PREFIX|g" "$file"
  done
  touch "$venv.new/.pantau112"
  [ ! -e "$venv" ] || mv "$venv" "$venv.old"
  mv "$venv.new" "$venv"
  rm -rf "$venv.old"
  mkdir -p "$units" "$(dirname "$command")" "$(dirname "$sysusers")" "$(dirname "$tmpfiles")" "$(dirname "$settings")"
  ln -sf "$PREFIX/bin/pantau112" "$command"
  for unit in "$here"/*.service "$here"/*.timer; do
    sed "s|/opt/pantau112|$PREFIX|g" "$unit" > "$units/$(basename "$unit")"
  done
  cp "$here/pantau112.sysusers" "$sysusers"
  cp "$here/pantau112.tmpfiles" "$tmpfiles"
  chmod 644 "$units"/pantau112-* "$sysusers" "$tmpfiles"
  [ -e "$settings" ] || { cp "$here/pantau112.env" "$settings"; chmod 600 "$settings"; }
  if here_runs_systemd; then
    systemd-sysusers "$sysusers"
    systemd-tmpfiles --create "$tmpfiles"
    systemctl daemon-reload
  fi
  echo "$PREFIX: $("$venv/bin/python" -P -m streams.cli --version) is installed; settings in ${settings#"$DESTDIR"}" >&2
  echo "what runs already runs the version before until: systemctl restart 'pantau112-*'" >&2
}

uninstall_() {
  if here_runs_systemd; then
    systemctl stop 'pantau112-*'
    for unit in "$units"/pantau112-*; do [ ! -e "$unit" ] || systemctl disable "$(basename "$unit")"; done
  fi
  rm -rf "$venv" "$venv.new" "$venv.old"
  rm -f "$command" "$units"/pantau112-* "$sysusers" "$tmpfiles"
  if here_runs_systemd; then
    systemctl daemon-reload
    systemctl reset-failed 'pantau112-*' 2>/dev/null || true
  fi
  echo "left: settings and keys in /etc/pantau112, events and states in /var/lib/pantau112, the user pantau112. To forget them too:" >&2
  echo "  rm -r /etc/pantau112 /var/lib/pantau112 && userdel pantau112" >&2
}

"$1_"
