#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: haproxy_server
short_description: Takes a machine out of HAProxy, and puts it back
version_added: 0.1.0
description:
  - Sets the administrative state of one server at HAProxy's socket, and waits until a drained one has no session left.
  - A promote loses nothing without it. It is for apps that cannot serve two releases to the same user, and for maintenance.
options:
  socket:
    description: HAProxy's admin socket, on the machine where the task runs.
    type: path
    default: /run/haproxy/admin.sock
  backend:
    description: The backend.
    type: str
    required: true
  server:
    description: The server in it.
    type: str
    required: true
  state:
    description: C(ready) gives it new sessions, C(drain) gives it none and keeps those that it has, C(maint) is off.
    type: str
    required: true
    choices: [ready, drain, maint]
  timeout:
    description: So many seconds a drain waits for the sessions. It fails after that.
    type: int
    default: 30
attributes:
  check_mode:
    support: full
    description: Says whether the state would change.
  diff_mode:
    support: none
    description: The state is one word.
author:
  - The founders of bluegreen (@bluegreen-rs)
'''

EXAMPLES = r'''
- name: No new sessions
  bluegreen_rs.bluegreen.haproxy_server:
    backend: web
    server: "{{ inventory_hostname }}"
    state: drain
  delegate_to: balancer
'''

RETURN = r'''
before:
  description: The state before.
  returned: success
  type: str
sessions:
  description: The sessions that it has now.
  returned: success
  type: int
'''

import csv
import socket
import time

from ansible.module_utils.basic import AnsibleModule


class Haproxy(object):
    def __init__(self, path):
        self.path = path

    def ask(self, words):
        talk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        talk.settimeout(10)
        try:
            talk.connect(self.path)
            talk.sendall((words + '\n').encode())
            answer = b''
            while True:
                part = talk.recv(65536)
                if not part:
                    return answer.decode()
                answer += part
        finally:
            talk.close()

    def server(self, backend, name):
        """The row of one server in `show stat`, or None."""
        lines = self.ask('show stat').lstrip('# ').splitlines()
        rows = csv.DictReader(line for line in lines if line.strip())
        return next((row for row in rows if (row['pxname'], row['svname']) == (backend, name)), None)


def state_of(row):
    """The administrative state: `show stat` has it as the first word of `status`, and what checks say otherwise."""
    word = row['status'].split()[0]
    return {'MAINT': 'maint', 'DRAIN': 'drain'}.get(word, 'ready')


def main():
    module = AnsibleModule(
        argument_spec=dict(
            socket=dict(type='path', default='/run/haproxy/admin.sock'),
            backend=dict(type='str', required=True),
            server=dict(type='str', required=True),
            state=dict(type='str', required=True, choices=['ready', 'drain', 'maint']),
            timeout=dict(type='int', default=30),
        ),
        supports_check_mode=True,
    )
    wanted, name = module.params['state'], (module.params['backend'], module.params['server'])
    haproxy = Haproxy(module.params['socket'])
    try:
        row = haproxy.server(*name)
        if row is None:
            module.fail_json(msg='haproxy has no server %s/%s' % name)
        before = state_of(row)
        if before != wanted and not module.check_mode:
            said = haproxy.ask('set server %s/%s state %s' % (name + (wanted,))).strip()
            if said:
                module.fail_json(msg='haproxy refuses: %s' % said)
            row = haproxy.server(*name)
        until = time.time() + module.params['timeout']
        while wanted == 'drain' and int(row['scur']) > 0 and not module.check_mode:
            if time.time() > until:
                module.fail_json(msg='%s/%s has %s sessions after %d s' % (name + (row['scur'], module.params['timeout'])))
            time.sleep(0.2)
            row = haproxy.server(*name)
    except (OSError, socket.error) as error:
        module.fail_json(msg='%s: %s' % (module.params['socket'], error))
    module.exit_json(changed=before != wanted, before=before, sessions=int(row['scur']))


if __name__ == '__main__':
    main()
