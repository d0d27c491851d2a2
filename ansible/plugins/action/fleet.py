# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0
"""One table of all machines, which fails when they differ."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import json
import os

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

WELL = ('up', 'empty')
COLUMNS = ('host', 'version', 'release', 'active', 'health', 'behind', 'degraded', 'waits')


def age(seconds):
    if seconds is None:
        return 'yes'
    for unit, one in (('d', 86400), ('h', 3600), ('min', 60)):
        if seconds >= one:
            return '%d %s' % (seconds // one, unit)
    return '%d s' % seconds


def entry(host, found):
    """One machine. What could not be asked is not known, which is never the same as nothing."""
    if not isinstance(found, dict) or 'condition' not in found:
        why = 'never asked'
        if isinstance(found, dict):
            why = 'unreachable' if found.get('unreachable') else found.get('msg', why)
        return dict(host=host, asked=False, says=why)
    keys = ('release', 'version', 'active', 'healthy', 'condition', 'says', 'waiting', 'waiting_seconds')
    return dict(dict((key, found.get(key)) for key in keys), host=host, asked=True)


def compare(entries, by):
    """Adds `behind`, and says what the machines have in common. The release of most of them is what others are behind."""
    asked = [one for one in entries if one['asked']]
    count = collections.Counter(one[by] for one in asked)
    most = count.most_common(1)[0][0] if asked else None
    for one in asked:
        one['behind'] = one[by] != most
        one['degraded'] = one['condition'] not in WELL
    return dict(
        schema=1,
        equal=len(asked) == len(entries) and len(count) <= 1,
        well=len(asked) == len(entries) and not any(one['degraded'] for one in asked),
        releases=sorted(set(one['release'] or 'none' for one in asked)),
        hosts=entries,
    )


def cells(one):
    if not one['asked']:
        return [one['host'], '?', '?', '?', one['says'].splitlines()[0][:40] if one['says'] else '?', '?', '?', '?']
    return [
        one['host'],
        one['version'] or '-',
        (one['release'] or 'none')[:12],
        one['active'] or '?',
        'healthy' if one['healthy'] else (one['says'] or 'not healthy')[:40],
        'behind' if one['behind'] else '-',
        one['condition'] if one['degraded'] else '-',
        age(one['waiting_seconds']) if one['waiting'] else '-',
    ]


def table(fleet):
    rows = [list(COLUMNS)] + [cells(one) for one in fleet['hosts']]
    widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
    return '\n'.join('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def verdict(fleet, stopped):
    lost = [one['host'] for one in fleet['hosts'] if not one['asked']]
    ill = [one['host'] for one in fleet['hosts'] if one.get('degraded')]
    parts = [stopped] if stopped else []
    if len(fleet['releases']) > 1:
        parts.append('the fleet is mixed: %d releases serve' % len(fleet['releases']))
    elif not fleet['equal'] and not lost:
        parts.append('the fleet is mixed: it serves more than one version')
    if lost:
        parts.append('not known what serves on %s' % ', '.join(lost))
    if ill:
        parts.append('not well: %s' % ', '.join(ill))
    return '; '.join(parts)


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super(ActionModule, self).run(tmp, task_vars)
        unused, args = self.validate_argument_spec(dict(
            register=dict(type='str', default='bluegreen_status'),
            hosts=dict(type='list', elements='str'),
            by=dict(type='str', default='release', choices=['release', 'version']),
            stopped=dict(type='str', default=''),
            format=dict(type='str', default='table', choices=['table', 'json']),
            path=dict(type='path'),
        ))
        hosts = args['hosts'] or task_vars['ansible_play_hosts_all']
        entries = [entry(host, self.found(task_vars['hostvars'][host], args['register'])) for host in hosts]
        fleet = compare(entries, args['by'])
        fleet['stopped'] = args['stopped']
        text = json.dumps(fleet, indent=2, sort_keys=True)
        Display().display(text if args['format'] == 'json' else '\n' + table(fleet) + '\n')
        if args['path']:
            with open(os.path.expanduser(args['path']), 'w') as out:
                out.write(text + '\n')
        result.update(changed=False, fleet=fleet)
        said = verdict(fleet, args['stopped'])
        if said:
            result.update(failed=True, msg=said)
        return result

    @staticmethod
    def found(variables, name):
        try:
            return variables[name]
        except KeyError:
            return None
