# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The command line of bluegreen, as its events and documents say it. No sentence is read."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

from ansible.module_utils.basic import AnsibleModule

# What every module asks for.
COMMON = dict(
    app=dict(type='str'),
    config=dict(type='path'),
    executable=dict(type='str', default='bluegreen'),
)


class Ended(object):
    """How a command ended, from its events."""

    def __init__(self, rc, out, err):
        self.rc, self.err = rc, err.strip()
        self.objects, self.strange = [], []
        for line in out.splitlines():
            try:
                parsed = json.loads(line)
            except ValueError:
                parsed = None
            if isinstance(parsed, dict):
                self.objects.append(parsed)
            elif line.strip():
                self.strange.append(line)

    def of(self, kind):
        return [event for event in self.objects if event.get('event') == kind]

    @property
    def finished(self):
        ended = self.of('finished')
        return ended[-1] if ended else None

    @property
    def document(self):
        """What a command that looks has printed; None when it said in events why it did not."""
        documents = [parsed for parsed in self.objects if 'event' not in parsed]
        return documents[-1] if documents else None

    @property
    def warnings(self):
        return [event['message'] for event in self.of('warning')]

    @property
    def failure(self):
        failed = self.of('failed')
        return failed[-1]['failure'] if failed else None

    @property
    def findings(self):
        return [finding for event in self.of('autopsy') for finding in event['findings']]

    @property
    def steps(self):
        return dict((event['step'], event['took_ms']) for event in self.of('step_done'))

    def why(self):
        """For a person: the failure, its causes and what the autopsy found; else what was said last."""
        parts = []
        if self.failure:
            parts += [self.failure['message']] + self.failure.get('causes', [])
        parts += ['%s: %s' % (finding['about'], finding['says']) for finding in self.findings]
        if not parts:
            parts = self.warnings[-1:] or [self.err or 'it said nothing']
        return '; '.join(parts)


class Cli(object):
    """bluegreen on this host."""

    @classmethod
    def of(cls, arguments):
        """For a module that asks for these beside what all of them ask for."""
        return cls(AnsibleModule(
            argument_spec=dict(COMMON, **arguments), supports_check_mode=True, mutually_exclusive=[('app', 'config')]))

    def __init__(self, module):
        self.module = module
        params = module.params
        self.words = [module.get_bin_path(params['executable'], required=True, opt_dirs=['/usr/bin', '/usr/local/bin'])]
        if params['config']:
            self.words += ['--config', params['config']]
        elif params['app']:
            self.words += ['--app', params['app']]
        self.words += ['--format', 'json', '--color', 'never']

    def run(self, words):
        rc, out, err = self.module.run_command(self.words + words)
        return Ended(rc, out, err)

    def status(self):
        """The document of `status`, or how it failed. 20 is an answer too: it says what is wrong."""
        ended = self.run(['status'])
        if ended.document is None or ended.rc not in (0, 20):
            self.module.fail_json(
                msg='bluegreen status ended with %d: %s' % (ended.rc, ended.why()), rc=ended.rc, stderr=ended.err)
        return ended.document


def side(status, which):
    """The `active` or the `idle` side; it is not there while the route is not known."""
    return status.get(which) or {}


def waiting(status):
    """The release that waits for promote or abort, or None."""
    transaction = status.get('transaction')
    return transaction['release'] if transaction and status.get('waits') else None


def facts(status):
    """What a fleet is compared by."""
    active = side(status, 'active')
    return dict(
        release=active.get('release'),
        version=active.get('version'),
        active=active.get('profile'),
        healthy=active.get('healthy', False),
        condition=status['condition'],
        says=status['says'],
        should=status.get('should'),
        waiting=waiting(status),
        waiting_seconds=(status.get('waits') or {}).get('seconds'),
        lock=status.get('lock'),
    )
