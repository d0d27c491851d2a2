#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT OR Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: release
short_description: Brings a release to a machine that has bluegreen, or takes it back
version_added: 0.1.0
description:
  - One of the verbs of C(bluegreen), with what it said as data. Whether anything changed is what the program's last event
    says, never a guess.
  - Every state may be asked for again. What is so already is not changed, also when another controller was killed half-way.
  - A failure has the step, the cause, the last lines of the app's log and what the autopsy found. The traffic is then where it
    was, unless I(rc) is 20.
  - A machine that went away in the middle is unreachable. What runs there goes on without the connection, so that
    C(rolled_back) with I(only), and C(aborted) with I(release), are what brings it to a known state again.
options:
  state:
    description:
      - C(prepared) brings a release up to health beside the one that serves, without traffic. Nothing happens when it has the
        traffic already, or waits already.
      - C(promoted) gives the traffic to I(release), which was prepared. Nothing happens when it has the traffic already; it
        fails with I(rc) 3 when it neither waits nor has it.
      - C(deployed) is both at once. Nothing happens when the release has the traffic already.
      - C(aborted) ends I(release) where it waits; without I(release) whatever waits.
      - C(rolled_back) goes back to I(release), or to the last one before; with I(only) just where that has the traffic.
    type: str
    required: true
    choices: [prepared, promoted, deployed, aborted, rolled_back]
  artifact:
    description: A file or a directory on the machine. Without it the command of the configuration alone is the release.
    type: path
  version:
    description: What people call the release.
    type: str
  sha256:
    description: The SHA-256 that the artifact must have on the machine.
    type: str
  release:
    description: The id of a release, as C(prepared) returns it, or the version of one that the machine has.
    type: str
  only:
    description: For C(rolled_back), the id or the version of the release that must have the traffic. Nothing happens when it has not.
    type: str
  replace:
    description: Whether C(prepared) and C(deployed) end another release that waits, which a run before this one may have left.
    type: bool
    default: true
  drain:
    description: Whether C(promoted) stops the previous release instead of keeping it warm.
    type: bool
    default: false
  wait:
    description: Whether to wait while another command is at work on the machine.
    type: bool
    default: true
  deadline:
    description: Take it back when it has not ended after this time, as C(90s) or C(5m).
    type: str
attributes:
  check_mode:
    support: full
    description: Says what C(bluegreen plan) says for C(prepared) and C(deployed), and what C(bluegreen status) leads to expect otherwise.
  diff_mode:
    support: full
    description: Shows the release, the profile with the traffic, and what waits.
extends_documentation_fragment: bluegreen_rs.bluegreen.cli
'''

EXAMPLES = r'''
- name: A healthy release without traffic
  bluegreen_rs.bluegreen.release:
    app: shop
    state: prepared
    artifact: /var/cache/bluegreen/shop/shop.jar
    version: "1.4"
  register: prepared

- name: The traffic moves
  bluegreen_rs.bluegreen.release:
    app: shop
    state: promoted
    release: "{{ prepared.release }}"

- name: Back, but only from that one
  bluegreen_rs.bluegreen.release:
    app: shop
    state: rolled_back
    only: "{{ prepared.release }}"
'''

RETURN = r'''
release:
  description: The id of the release that it is about.
  returned: when it is known
  type: str
outcome:
  description: The outcome of the last event, as C(prepared), C(switched), C(unchanged), C(reverted) or C(aborted).
  returned: always
  type: str
rc:
  description: The exit code of bluegreen. 75 is busy, 20 needs a person.
  returned: always
  type: int
active:
  description: The profile with the traffic.
  returned: when it is known
  type: str
steps:
  description: Milliseconds of each step.
  returned: when something was done
  type: dict
receipt:
  description: What bluegreen's own probes saw at the front door around the switch.
  returned: when the traffic moved
  type: dict
failure:
  description: The step, the cause, the message, its causes and the last lines of the app's log.
  returned: failure
  type: dict
findings:
  description: What the autopsy found.
  returned: failure
  type: list
  elements: dict
plan:
  description: What C(bluegreen plan --format json) says.
  returned: check mode, for C(prepared) and C(deployed)
  type: dict
'''

from ansible_collections.bluegreen_rs.bluegreen.plugins.module_utils.cli import Cli, facts, side, waiting

ARGUMENTS = dict(
    state=dict(type='str', required=True, choices=['prepared', 'promoted', 'deployed', 'aborted', 'rolled_back']),
    artifact=dict(type='path'),
    version=dict(type='str'),
    sha256=dict(type='str'),
    release=dict(type='str'),
    only=dict(type='str'),
    replace=dict(type='bool', default=True),
    drain=dict(type='bool', default=False),
    wait=dict(type='bool', default=True),
    deadline=dict(type='str'),
)


def release_words(params):
    """What `prepare`, `deploy` and `plan` have in common."""
    words = [params['artifact']] if params['artifact'] else []
    words += ['--version', params['version']] if params['version'] else []
    return words + (['--replace'] if params['replace'] else [])


def run_words(params):
    words = ['--wait'] if params['wait'] else []
    return words + (['--deadline', params['deadline']] if params['deadline'] else [])


def command(params):
    """What to type for this state."""
    named = [params['release']] if params['release'] else []
    state = params['state']
    if state in ('prepared', 'deployed'):
        words = ['prepare' if state == 'prepared' else 'deploy', '--if-changed'] + release_words(params)
        words += ['--sha256', params['sha256']] if params['sha256'] else []
    elif state == 'promoted':
        words = ['promote'] + named + (['--drain'] if params['drain'] else [])
    elif state == 'aborted':
        words = ['abort'] + named
    else:
        words = ['rollback'] + named + (['--if-release', params['only']] if params['only'] else [])
    return words + run_words(params)


def shown(status):
    """The part of a status that a diff shows."""
    now = facts(status)
    return dict(
        release=now['version'] or (now['release'] or 'none')[:12],
        route=now['active'] or 'not known',
        waits=(now['waiting'] or 'none')[:12],
    )


def text(parts):
    return 'release: %(release)s\nroute: %(route)s\nwaits: %(waits)s\n' % parts


def expected(params, before, plan):
    """In check mode: whether it would change anything, and the diff. Fails where the command would be refused."""
    now = facts(before)
    state, named = params['state'], params['release']
    after = shown(before)
    changed, refused = False, None
    idle = side(before, 'idle')
    other = idle.get('profile') or 'the other profile'
    names_waiting = (now['waiting'], idle.get('version') if idle.get('release') == now['waiting'] else now['waiting'])
    if plan is not None:
        changed = plan['already'] is None or bool(plan['first'])
        if plan['already'] is None and state == 'prepared':
            after['waits'] = plan['release']['id'][:12]
        elif plan['already'] is None:
            after['release'], after['route'] = plan['release']['version'] or plan['release']['id'][:12], plan['to']
    elif state == 'promoted':
        rests = now['waiting'] is not None and (named is None or named in names_waiting)
        changed = rests
        if rests:
            after = dict(release=now['waiting'][:12], route=other, waits='none')
        elif named is not None and named not in (now['release'], now['version']):
            refused = 'release %s is not prepared, and has not the traffic either' % named[:12]
    elif state == 'aborted':
        changed = now['waiting'] is not None and (named is None or named in names_waiting)
        after['waits'] = 'none' if changed else after['waits']
    else:
        serves = (now['release'], now['version'])
        changed = (params['only'] is None or params['only'] in serves) and (named is None or named not in serves)
        if changed:
            after['release'], after['route'] = (named or 'the one before')[:14], other
    return changed, text(after), refused


def check(module, cli):
    params, plan = module.params, None
    before = cli.status()
    if params['state'] in ('prepared', 'deployed'):
        ended = cli.run(['plan'] + release_words(params))
        plan = ended.document
        if plan is None:
            module.fail_json(msg='bluegreen plan ended with %d: %s' % (ended.rc, ended.why()), rc=ended.rc, outcome='refused')
        served = facts(before)['release'] == plan['release']['id']
        rests = waiting(before) == plan['release']['id']
        if served or rests:
            # both states do nothing then, which `plan` of a whole deploy does not ask
            plan = dict(plan, already='release %s is there already' % plan['release']['id'][:12], to=None)
            plan['first'] = plan['first'] if served and waiting(before) else []
            if rests and params['state'] == 'deployed':
                plan['already'], plan['to'] = None, side(before, 'idle').get('profile')
    changed, after, refused = expected(params, before, plan)
    if refused:
        module.fail_json(msg=refused, rc=3, outcome='refused')
    result = dict(changed=changed, rc=0, outcome='planned' if changed else 'unchanged', diff=dict(before=text(shown(before)), after=after))
    if plan is not None:
        result.update(plan=plan, release=plan['release']['id'])
    module.exit_json(**result)


def about(params, ended, status):
    """The release that it was about. What `unchanged` was about waits, or has the traffic."""
    if params['state'] in ('promoted', 'aborted') and params['release']:
        return params['release']
    finished = ended.finished
    if finished['outcome'] == 'unchanged' and waiting(status):
        return waiting(status)
    return finished.get('release')


def do(module, cli):
    params = module.params
    before = cli.status() if module._diff else None
    ended = cli.run(command(params))
    for warning in ended.warnings if ended.rc == 0 else []:
        module.warn(warning)
    finished = ended.finished
    if finished is None:
        module.fail_json(
            msg='bluegreen ended with %d and did not say how: %s' % (ended.rc, ended.err or ' '.join(ended.strange) or 'nothing was said'),
            rc=ended.rc, outcome='unknown', changed=True)
    result = dict(outcome=finished['outcome'], rc=ended.rc, active=finished.get('active'), steps=ended.steps)
    result['changed'] = finished['outcome'] not in ('unchanged', 'refused', 'locked')
    if finished.get('receipt'):
        result['receipt'] = finished['receipt']
    if ended.rc != 0:
        verb = command(params)[0]
        result.update(failure=ended.failure, findings=ended.findings, release=finished.get('release'), warnings=ended.warnings)
        module.fail_json(msg='bluegreen %s: %s (%d): %s' % (verb, finished['outcome'], ended.rc, ended.why()), **result)
    status = cli.status()
    result['release'] = about(params, ended, status)
    if before is not None:
        result['diff'] = dict(before=text(shown(before)), after=text(shown(status)))
    module.exit_json(**result)


def main():
    cli = Cli.of(ARGUMENTS)
    module = cli.module
    if module.check_mode:
        check(module, cli)
    do(module, cli)


if __name__ == '__main__':
    main()
