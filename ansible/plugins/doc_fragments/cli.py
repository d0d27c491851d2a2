# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    """What every module asks for that types bluegreen."""

    DOCUMENTATION = r'''
options:
  app:
    description: The app, when its configuration is C(/etc/bluegreen/APP.toml).
    type: str
  config:
    description: The configuration, when it is elsewhere.
    type: path
  executable:
    description: The program, a name that is looked for or a path.
    type: str
    default: bluegreen
author:
  - The founders of bluegreen (@bluegreen-rs)
'''
