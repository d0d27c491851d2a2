# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the machines of a play have registered, over all of them."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


def registered(hostvars, host, name):
    """The result of a task on a machine, or nothing where it did not run."""
    try:
        result = hostvars[host][name]
    except KeyError:
        return {}
    return result if isinstance(result, dict) else {}


def lost(hosts, hostvars, names):
    """The machines on which one of these results is a failure, or not known."""
    def bad(host):
        results = [registered(hostvars, host, name) for name in names]
        return any(result.get('failed') or result.get('unreachable') for result in results)
    return [host for host in hosts if bad(host)]


def first_of(hosts, hostvars, name, key):
    """The first of the machines' values that is known; an empty text when none is."""
    values = (registered(hostvars, host, name).get(key) for host in hosts)
    return next((value for value in values if value), '')


class FilterModule(object):
    def filters(self):
        return dict(lost=lost, first_of=first_of)
