# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_bluegreen_global_optspecs
    string join \n config= app= format= q/quiet v/verbose color= yes h/help V/version
end

function __fish_bluegreen_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_bluegreen_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_bluegreen_using_subcommand
    set -l cmd (__fish_bluegreen_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c bluegreen -n "__fish_bluegreen_needs_command" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_needs_command" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_needs_command" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_needs_command" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_needs_command" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -s V -l version -d 'Print version'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "demo" -d 'A tour in under a minute on a private nginx; leaves nothing behind'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "init" -d 'Write a bluegreen.toml from what is found here; asks only on a terminal'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "setup" -d 'The one-time nginx part'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "adopt" -d 'Take over a process that somebody else started on a profile\'s port'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "check" -d 'Everything that can make a deploy fail, with the fix for each'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "plan" -d 'What deploy would do now, and why; changes nothing'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "deploy" -d 'Bring a release to the idle profile and the traffic to it'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "prepare" -d 'The first half of a deploy: up to a healthy release without traffic'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "promote" -d 'The second half: the traffic moves to the prepared release'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "abort" -d 'End what was prepared'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "stop" -d 'Only free the idle profile (as stop.sh)'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "start" -d 'Up to a running release on the idle profile (as start.sh)'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "health" -d 'Up to a healthy release on the idle profile (as health.sh)'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "switch" -d 'The rest of the way: move the traffic, bake, retire the old release (as switch.sh)'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "profile" -d 'Print the name of the idle profile (as profile.sh)'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "hook" -d 'For AWS CodeDeploy: does what $LIFECYCLE_EVENT asks for'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "rollback" -d 'Go back to the last confirmed release, or to RELEASE'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "status" -d 'What runs where, and who gets the traffic'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "history" -d 'What was done'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "logs" -d 'The app\'s output'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "releases" -d 'The releases that are kept'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "metrics" -d 'Metrics in the text format of Prometheus'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "recover" -d 'Bring what a crash left to a safe state with a name'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "up" -d 'Start what should run, after a reboot'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "config" -d 'The configuration in effect, with the origin of each value'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "completions" -d 'A completion script'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "man" -d 'The manual page'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "__app" -d 'The app of the demo'
complete -c bluegreen -n "__fish_bluegreen_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand demo" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l artifact -d 'What is deployed: a jar, a program, a script or a directory [default: what is found here]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l port1 -d 'The first port' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l port2 -d 'The second port' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l health -d 'The path of the app\'s health page' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l url -d 'The front door, as users reach the app through nginx' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l connect -d 'The address to dial for the name in --url' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l user -d 'Who owns the state and runs the app' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l state-dir -d 'Where the state is kept' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l pid-file -d 'The pid file of the nginx that is meant, where several run' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l allow-temporary -d 'Let the state be where a reboot empties it'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l print -d 'Print the text, write nothing, ask nothing'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l force -d 'Overwrite what is there'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand init" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l print -d 'Print this part of the snippet, and nothing else' -r -f -a "http\t'For the http level'
server\t'The first line of the server block'
location\t'In the app\'s location'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l site -d 'The file with the app\'s server block, when it is not plain which one that is' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l nginx-dir -d 'Where our own files go [default: beside nginx\'s main configuration file, as /etc/nginx]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l nginx -d 'A word of the command that nginx is called with; again for each further word [default: as the one that runs]' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l apply -d 'Write the files, test, reload once, prove; undone when nginx refuses'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l check -d 'Say what differs'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l remove -d 'Go back to a plain proxy_pass to the active port'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -l pid -d 'Only this process' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand adopt" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand check" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -l version -d 'What people call it' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -l replace -d 'As if another release that was prepared were abandoned'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand plan" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l version -d 'What people call it' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l sha256 -d 'The SHA-256 that the artifact must have' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l until -d 'Rest when this is true: stop, start, health, switch, bake or retire' -r -f -a "stop\t''
start\t''
health\t''
switch\t''
bake\t''
retire\t''"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l replace -d 'Abandon another release that was prepared'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l if-changed -d 'Do nothing when this release has the traffic already'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l breaking -d 'The two releases cannot live side by side: no failover, no warm rollback'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand deploy" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l version -d 'What people call it' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l sha256 -d 'The SHA-256 that the artifact must have' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l replace -d 'Abandon another release that was prepared'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l if-changed -d 'Do nothing when this release has the traffic already; with --replace, end what waits all the same'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand prepare" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l drain -d 'Drain and stop the previous release, even if it would be kept warm'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand promote" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand abort" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l version -d 'What people call it' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l sha256 -d 'The SHA-256 that the artifact must have' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l replace -d 'Abandon another release that was prepared'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand stop" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l version -d 'What people call it' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l sha256 -d 'The SHA-256 that the artifact must have' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l replace -d 'Abandon another release that was prepared'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand start" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l version -d 'What people call it' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l sha256 -d 'The SHA-256 that the artifact must have' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l replace -d 'Abandon another release that was prepared'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand health" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l version -d 'What people call it' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l sha256 -d 'The SHA-256 that the artifact must have' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l replace -d 'Abandon another release that was prepared'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand switch" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -l port -d 'Its port instead'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -l active -d 'The active profile instead'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand profile" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand hook" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l if-release -d 'Only when this one has the traffic; 0 when it has not. An id, the beginning of one, or a version' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l deadline -d 'Take it back when it has not ended after this time, as 90s or 5m' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l wait -d 'Wait while somebody else deploys'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand rollback" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -s w -l watch -d 'Go on as it changes, until Ctrl-C'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand status" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -s n -l last -d 'So many entries, the newest last' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -f -a "show" -d 'One deploy: its timeline, and why it failed if it did'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and not __fish_seen_subcommand_from show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -l html -d 'Write a page for a browser to FILE, `-` is standard output [default: APP-deploy-NUMBER.html]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from help" -f -a "show" -d 'One deploy: its timeline, and why it failed if it did'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand history; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -s n -l lines -d 'So many lines' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -s f -l follow -d 'Go on as it grows, also across a switch'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand logs" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -f -a "prune" -d 'Remove all but the newest and those that are needed'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -f -a "pin" -d 'Never remove this one'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -f -a "unpin" -d 'Let it be removed again'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and not __fish_seen_subcommand_from prune pin unpin help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from pin" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from unpin" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove all but the newest and those that are needed'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from help" -f -a "pin" -d 'Never remove this one'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from help" -f -a "unpin" -d 'Let it be removed again'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand releases; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -l write -d 'Into the file that the configuration names, instead of printing them'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand recover" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand up" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand config" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand completions" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand man" -s h -l help -d 'Print help'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l port -d 'TCP port on 127.0.0.1' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l profile -d 'Name of the profile' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l release -d 'Version to answer with' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l artifact -d 'File whose first line is the version and, after a blank, an optional fault' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l boot-ms -d 'Milliseconds from the start until it listens' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l fault -d 'What is wrong with it' -r -f -a "exits\t'Prints why and exits with 1 instead of listening'
errors\t'Answers everything with status 500'
deaf\t'Runs, and never listens'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l config -d 'The configuration [default: $BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml]' -r -F
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l app -d 'The app, when its configuration is /etc/bluegreen/APP.toml' -r
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l format -d '`human` lines, or `json`: one object per line [default: human]' -r -f -a "human\t'Lines for people'
json\t'One JSON object per line on stdout'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l color -d '`auto`, `always` or `never` [default: auto, which honours NO_COLOR]' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Yes'
never\t'No'"
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -s q -l quiet -d 'Say only what went wrong'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -s v -l verbose -d 'Every event as JSON on stderr too'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -l yes -d 'Agree to what would be asked'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand __app" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "demo" -d 'A tour in under a minute on a private nginx; leaves nothing behind'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "init" -d 'Write a bluegreen.toml from what is found here; asks only on a terminal'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "setup" -d 'The one-time nginx part'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "adopt" -d 'Take over a process that somebody else started on a profile\'s port'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "check" -d 'Everything that can make a deploy fail, with the fix for each'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "plan" -d 'What deploy would do now, and why; changes nothing'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "deploy" -d 'Bring a release to the idle profile and the traffic to it'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "prepare" -d 'The first half of a deploy: up to a healthy release without traffic'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "promote" -d 'The second half: the traffic moves to the prepared release'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "abort" -d 'End what was prepared'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "stop" -d 'Only free the idle profile (as stop.sh)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "start" -d 'Up to a running release on the idle profile (as start.sh)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "health" -d 'Up to a healthy release on the idle profile (as health.sh)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "switch" -d 'The rest of the way: move the traffic, bake, retire the old release (as switch.sh)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "profile" -d 'Print the name of the idle profile (as profile.sh)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "hook" -d 'For AWS CodeDeploy: does what $LIFECYCLE_EVENT asks for'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "rollback" -d 'Go back to the last confirmed release, or to RELEASE'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "status" -d 'What runs where, and who gets the traffic'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "history" -d 'What was done'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "logs" -d 'The app\'s output'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "releases" -d 'The releases that are kept'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "metrics" -d 'Metrics in the text format of Prometheus'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "recover" -d 'Bring what a crash left to a safe state with a name'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "up" -d 'Start what should run, after a reboot'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "config" -d 'The configuration in effect, with the origin of each value'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "completions" -d 'A completion script'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "man" -d 'The manual page'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "__app" -d 'The app of the demo'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and not __fish_seen_subcommand_from demo init setup adopt check plan deploy prepare promote abort stop start health switch profile hook rollback status history logs releases metrics recover up config completions man __app help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and __fish_seen_subcommand_from history" -f -a "show" -d 'One deploy: its timeline, and why it failed if it did'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and __fish_seen_subcommand_from releases" -f -a "prune" -d 'Remove all but the newest and those that are needed'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and __fish_seen_subcommand_from releases" -f -a "pin" -d 'Never remove this one'
complete -c bluegreen -n "__fish_bluegreen_using_subcommand help; and __fish_seen_subcommand_from releases" -f -a "unpin" -d 'Let it be removed again'
