# shellcheck shell=bash disable=SC2154
# What `run` and `boot` share, sourced by them: ansible-core in a venv of its own below $target, the collection in $lab/collections as Galaxy
# makes and installs it.
venv=$target/ansible
if [ ! -x "$venv/bin/ansible-playbook" ]; then
    say "installing ansible-core into $venv"
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check 'ansible-core>=2.15' \
        || { rm -rf "$venv"; skip "ansible-core cannot be had"; }
fi

"$venv/bin/ansible-galaxy" collection build --output-path "$lab" ansible >/dev/null
"$venv/bin/ansible-galaxy" collection install --no-deps --offline -p "$lab/collections" "$lab"/bluegreen_rs-bluegreen-*.tar.gz >/dev/null 2>&1
for module in release status_info fleet haproxy_server; do
    ANSIBLE_COLLECTIONS_PATH=$lab/collections "$venv/bin/ansible-doc" "bluegreen_rs.bluegreen.$module" >/dev/null
done
