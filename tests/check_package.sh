#!/bin/sh
# check_package.sh DEB…: what the packages say of themselves, and what installing, upgrading and purging them does, in a copy of this
# system that goes with it (an overlay; root alone can make one).
set -eu
problems=0
bad() { echo "FAILED: $*" >&2; problems=$((problems + 1)); }

for deb in "$@"; do
  name=$(dpkg-deb -f "$deb" Package)
  maintainer=$(dpkg-deb -f "$deb" Maintainer)
  case $maintainer in *.invalid\>*) bad "$name: maintainer $maintainer" ;; *\<*@*\>) ;; *) bad "$name: maintainer $maintainer" ;; esac
  list=$(dpkg-deb -c "$deb" | sed 's/.* \.\//\//; s/ -> .*//')
  has() { echo "$list" | grep -qx "$1" || bad "$name: $1 is missing"; }
  has "/usr/bin/$name"
  has "/usr/share/doc/$name/copyright"
  has "/usr/share/doc/$name/changelog.gz"
  has "/usr/share/doc/$name/NEWS.Debian.gz"
  has "/usr/share/man/man1/$name.1.gz"
  has "/usr/share/bash-completion/completions/$name"
  has "/usr/share/zsh/vendor-completions/_$name"
  has "/usr/share/fish/vendor_completions.d/$name.fish"
  echo "$list" | grep -q '^/etc/.' && bad "$name: holds files in /etc, about which upgrades would ask"
  dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/share/doc/$name/changelog.gz" | gzip -dc | grep -q '\.invalid' &&
    bad "$name: an invalid address in the changelog"
  # One version, of the package, of what the change log calls the newest, and of the program.
  version=$(dpkg-deb -f "$deb" Version)
  newest=$(dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/share/doc/$name/changelog.gz" | gzip -dc | sed -n '1s/^[^(]*(\(.*\)).*/\1/p')
  [ "$newest" = "$version" ] || bad "$name: it is $version, and its changelog's newest is $newest"
  # As it was built is as it is shipped: stripping and packing have changed nothing of how it is guarded.
  program=$(mktemp)
  dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/bin/$name" > "$program"
  guarded=$(sh "$(dirname "$0")/check_hardening.sh" "$program" 2>&1) || [ $? = 77 ] || bad "$name: not hardened: $guarded"
  chmod +x "$program"
  case "$("$program" -V)" in "$name $version"*) ;; *) bad "$name: it is $version, and the program says $("$program" -V)" ;; esac
  rm -f "$program"
  dpkg-deb -I "$deb" conffiles >/dev/null 2>&1 && bad "$name: has conffiles"
  if [ "$name" = cvdd ]; then
    cvdd=$deb
    has /usr/share/man/man5/cvdd.toml.5.gz
    has /usr/share/doc/cvdd/README.md
    has /usr/share/doc/cvdd/CHANGELOG.md
    has /usr/share/doc/cvdd/docs/operations.md
    has /usr/share/cvdd/cvdd.toml
    has /usr/share/cvdd/symbols.toml
    has /usr/lib/systemd/system/cvdd.service
  fi
done

folder=$(mktemp -d)
if [ "$(id -u)" != 0 ] || ! unshare -m sh -c "mount -t tmpfs none $folder && mkdir $folder/upper $folder/work $folder/root &&
    mount -t overlay overlay -o lowerdir=/,upperdir=$folder/upper,workdir=$folder/work $folder/root" 2>/dev/null; then
  rmdir "$folder"
  echo "SKIPPED: installing and upgrading is not tried, it takes root and an overlay" >&2
  [ "$problems" = 0 ]
  exit
fi
cat > "$folder.sh" <<'TRY'
set -eu
folder=$1 cvdd=$2
mount -t tmpfs none "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
cp "$cvdd" "$folder/root/tmp/new.deb"
# The one before: the same under a lower version, as it was when its files in /etc were conffiles.
dpkg-deb -R "$cvdd" "$folder/old"
sed -i 's/^Version: .*/Version: 0.0.1/' "$folder/old/DEBIAN/control"
mkdir -p "$folder/old/etc/cvdd"
for f in cvdd.toml symbols.toml; do
  (echo "# older"; cat "$folder/old/usr/share/cvdd/$f") > "$folder/old/etc/cvdd/$f"
  echo "/etc/cvdd/$f" >> "$folder/old/DEBIAN/conffiles"
done
dpkg-deb --root-owner-group -b "$folder/old" "$folder/root/tmp/old.deb" >/dev/null
cat > "$folder/root/tmp/try.sh" <<'INSIDE'
set -u
problems=0
bad() { echo "FAILED: $*" >&2; problems=$((problems + 1)); }
install() { dpkg -i --force-depends "$1" </dev/null >/tmp/said 2>&1 || { cat /tmp/said >&2; bad "installing $1"; }; }
same() { [ "$(cat "$1")" = "$2" ] || bad "$1 is changed: $(head -3 "$1")"; }
export DEBIAN_FRONTEND=noninteractive
dpkg --purge --force-depends cvdd cvdd-engine >/dev/null 2>&1
rm -rf /etc/cvdd
# For the first time.
install /tmp/new.deb
[ "$(stat -c '%U:%G %a' /etc/cvdd/cvdd.toml)" = "root:cvdd 640" ] || bad "who may read cvdd.toml: $(stat -c '%U:%G %a' /etc/cvdd/cvdd.toml)"
[ "$(stat -c %a /etc/cvdd/symbols.toml)" = 644 ] || bad "who may read symbols.toml"
grep -q 'edit /etc/cvdd/symbols.toml, then: systemctl enable --now cvdd' /tmp/said || bad "nothing says what comes next: $(cat /tmp/said)"
grep -q '"/var/lib/cvdd"' /etc/cvdd/cvdd.toml || bad "data_dir of the service"
cvdd check --config /etc/cvdd/cvdd.toml >/dev/null || bad "the files as installed are not good"
# Edited, deleted, installed again: they stay as they are.
echo '# mine' > /etc/cvdd/cvdd.toml
rm /etc/cvdd/symbols.toml
chown cvdd /etc/cvdd/cvdd.toml
chmod 0600 /etc/cvdd/cvdd.toml
install /tmp/new.deb
same /etc/cvdd/cvdd.toml '# mine'
[ "$(stat -c '%U:%G %a' /etc/cvdd/cvdd.toml)" = "cvdd:cvdd 600" ] || bad "owner or mode are changed: $(stat -c '%U:%G %a' /etc/cvdd/cvdd.toml)"
grep -q 'then: systemctl enable' /tmp/said && bad "an upgrade says what a first install says"
[ ! -e /etc/cvdd/symbols.toml ] || bad "a list that was deleted is there again"
dpkg --purge cvdd >/dev/null 2>&1 || bad "purging"
[ ! -e /etc/cvdd ] || bad "a purge leaves $(ls /etc/cvdd)"
# From a version whose files were conffiles, edited, and nobody there to be asked.
install /tmp/old.deb
echo '[binance]
spot = ["MINE"]' > /etc/cvdd/symbols.toml
echo '# mine too' >> /etc/cvdd/cvdd.toml
mode=$(stat -c '%U:%G %a' /etc/cvdd/cvdd.toml)
list=$(cat /etc/cvdd/symbols.toml) config=$(cat /etc/cvdd/cvdd.toml)
install /tmp/new.deb
same /etc/cvdd/symbols.toml "$list"
same /etc/cvdd/cvdd.toml "$config"
[ "$(stat -c '%U:%G %a' /etc/cvdd/cvdd.toml)" = "$mode" ] || bad "owner or mode of cvdd.toml after an upgrade"
[ "$(dpkg-query -W -f '${Version}' cvdd)" != 0.0.1 ] || bad "the upgrade"
exit $problems
INSIDE
chroot "$folder/root" sh /tmp/try.sh
TRY
unshare -m sh "$folder.sh" "$folder" "$cvdd" || bad "installing, upgrading, purging"
rm -f "$folder.sh"
rmdir "$folder"
[ "$problems" = 0 ] && echo "the packages are as they should be: installed, upgraded, purged"
[ "$problems" = 0 ]
