#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: status_info
short_description: What runs on a machine, and who gets the traffic
version_added: 0.1.0
description:
  - Asks C(bluegreen status) and returns what it says. It changes nothing.
  - A machine whose app is down is an answer, not a failure. The task fails when there is no answer, for example because
    the app has no configuration on this machine.
attributes:
  check_mode:
    support: full
    description: It changes nothing.
  diff_mode:
    support: none
    description: There is nothing to compare.
extends_documentation_fragment: bluegreen_rs.bluegreen.cli
'''

EXAMPLES = r'''
- name: Look
  bluegreen_rs.bluegreen.status_info:
    app: shop
  register: shop

- name: Say it
  ansible.builtin.debug:
    msg: "{{ shop.version }} on {{ shop.active }}, {{ shop.condition }}"
'''

RETURN = r'''
release:
  description: The id of the release that has the traffic; null when none has, or it is not known.
  returned: success
  type: str
version:
  description: What people call it.
  returned: success
  type: str
active:
  description: The profile that gets new requests; null while that is not known.
  returned: success
  type: str
  sample: real1
healthy:
  description: Whether it answers its health check.
  returned: success
  type: bool
condition:
  description: In one word. C(up) and C(empty) are well. More words may come.
  returned: success
  type: str
  sample: up
says:
  description: Why, when it is not up.
  returned: success
  type: str
should:
  description: The release that should serve.
  returned: success
  type: str
waiting:
  description: The release that was prepared and waits for promote or abort; null when none waits.
  returned: success
  type: str
waiting_seconds:
  description: Since so many seconds; null when that is not known. Nothing ends it by itself.
  returned: success
  type: int
lock:
  description: Who is at work, or null.
  returned: success
  type: dict
status:
  description: All that C(bluegreen status --format json) says.
  returned: success
  type: dict
'''

from ansible_collections.bluegreen_rs.bluegreen.plugins.module_utils.cli import Cli, facts


def main():
    cli = Cli.of({})
    status = cli.status()
    cli.module.exit_json(changed=False, status=status, **facts(status))


if __name__ == '__main__':
    main()
