# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0

# The work is done on the controller, by the action plugin of this name.

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: fleet
short_description: One table of all machines, which fails when they differ
version_added: 0.1.0
description:
  - Compares what M(bluegreen_rs.bluegreen.status_info) found on all machines of the play, prints one table, and fails unless all of them
    could be asked, are well, and serve the same release.
  - Runs on the controller, once. Put C(run_once) to the task. The results must be registered under I(register) before.
options:
  register:
    description: The name under which the results of M(bluegreen_rs.bluegreen.status_info) were registered.
    type: str
    default: bluegreen_status
  hosts:
    description: The machines that are compared. By default all of the play, also those that were lost on the way.
    type: list
    elements: str
  by:
    description: What must be the same on all. C(version) where the command differs from machine to machine, as its memory.
    type: str
    default: release
    choices: [release, version]
  stopped:
    description: Why the run that ends here has failed; an empty text when it has not. The task fails with it.
    type: str
    default: ''
  format:
    description: C(json) prints one object instead of the table.
    type: str
    default: table
    choices: [table, json]
  path:
    description: A file on the controller for that object.
    type: path
attributes:
  check_mode:
    support: full
    description: It changes nothing but I(path).
  diff_mode:
    support: none
    description: There is nothing to compare.
author:
  - The founders of bluegreen (@bluegreen-rs)
'''

EXAMPLES = r'''
- name: Look
  bluegreen_rs.bluegreen.status_info:
    app: shop
  register: bluegreen_status
  ignore_unreachable: true

- name: Compare
  bluegreen_rs.bluegreen.fleet:
  run_once: true
'''

RETURN = r'''
fleet:
  description: The table as data.
  returned: always
  type: dict
  contains:
    equal:
      description: Whether all serve the same, and could be asked.
      type: bool
    well:
      description: Whether all of them are well.
      type: bool
    releases:
      description: The different releases that serve.
      type: list
    hosts:
      description: One entry for each machine, in the order of the inventory.
      type: list
'''
