#compdef bluegreen

autoload -U is-at-least

_bluegreen() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_bluegreen_commands" \
"*::: :->bluegreen" \
&& ret=0
    case $state in
    (bluegreen)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-command-$line[1]:"
        case $line[1] in
            (demo)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(init)
_arguments "${_arguments_options[@]}" : \
'--artifact=[What is deployed\: a jar, a program, a script or a directory \[default\: what is found here\]]:PATH:_files' \
'--port1=[The first port]:PORT:_default' \
'--port2=[The second port]:PORT:_default' \
'--health=[The path of the app'\''s health page]:PATH:_default' \
'--url=[The front door, as users reach the app through nginx]:URL:_default' \
'--connect=[The address to dial for the name in --url]:ADDRESS:_default' \
'--user=[Who owns the state and runs the app]:USER:_default' \
'--state-dir=[Where the state is kept]:DIR:_files' \
'--pid-file=[The pid file of the nginx that is meant, where several run]:FILE:_files' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--allow-temporary[Let the state be where a reboot empties it]' \
'--print[Print the text, write nothing, ask nothing]' \
'--force[Overwrite what is there]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'*::command -- Program and arguments that start the app, after `--`:_default' \
&& ret=0
;;
(setup)
_arguments "${_arguments_options[@]}" : \
'--print=[Print this part of the snippet, and nothing else]:PART:((http\:"For the http level"
server\:"The first line of the server block"
location\:"In the app'\''s location"))' \
'--site=[The file with the app'\''s server block, when it is not plain which one that is]:FILE:_files' \
'--nginx-dir=[Where our own files go \[default\: beside nginx'\''s main configuration file, as /etc/nginx\]]:DIR:_files' \
'*--nginx=[A word of the command that nginx is called with; again for each further word \[default\: as the one that runs\]]:WORD:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--apply[Write the files, test, reload once, prove; undone when nginx refuses]' \
'--check[Say what differs]' \
'--remove[Go back to a plain proxy_pass to the active port]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(adopt)
_arguments "${_arguments_options[@]}" : \
'--pid=[Only this process]:PID:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::profile -- The profile \[default\: the one with a foreign process\]:_default' \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(plan)
_arguments "${_arguments_options[@]}" : \
'--version=[What people call it]:V:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--replace[As if another release that was prepared were abandoned]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::artifact -- A file or a directory \[default\: the command alone is the release\]:_files' \
&& ret=0
;;
(deploy)
_arguments "${_arguments_options[@]}" : \
'--version=[What people call it]:V:_default' \
'--sha256=[The SHA-256 that the artifact must have]:D:_default' \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--until=[Rest when this is true\: stop, start, health, switch, bake or retire]:STEP:(stop start health switch bake retire)' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--replace[Abandon another release that was prepared]' \
'--wait[Wait while somebody else deploys]' \
'--if-changed[Do nothing when this release has the traffic already]' \
'--breaking[The two releases cannot live side by side\: no failover, no warm rollback]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::artifact -- A file or a directory \[default\: the command alone is the release\]:_files' \
&& ret=0
;;
(prepare)
_arguments "${_arguments_options[@]}" : \
'--version=[What people call it]:V:_default' \
'--sha256=[The SHA-256 that the artifact must have]:D:_default' \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--replace[Abandon another release that was prepared]' \
'--wait[Wait while somebody else deploys]' \
'--if-changed[Do nothing when this release has the traffic already; with --replace, end what waits all the same]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::artifact -- A file or a directory \[default\: the command alone is the release\]:_files' \
&& ret=0
;;
(promote)
_arguments "${_arguments_options[@]}" : \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--drain[Drain and stop the previous release, even if it would be kept warm]' \
'--wait[Wait while somebody else deploys]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::release -- Only this one\: 0 when it has the traffic already, 3 when it is not prepared. An id, the beginning of one, or a version:_default' \
&& ret=0
;;
(abort)
_arguments "${_arguments_options[@]}" : \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--wait[Wait while somebody else deploys]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::release -- Only this one; 0 when it does not wait. An id, the beginning of one, or a version:_default' \
&& ret=0
;;
(stop)
_arguments "${_arguments_options[@]}" : \
'--version=[What people call it]:V:_default' \
'--sha256=[The SHA-256 that the artifact must have]:D:_default' \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--replace[Abandon another release that was prepared]' \
'--wait[Wait while somebody else deploys]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::artifact -- A file or a directory \[default\: the command alone is the release\]:_files' \
&& ret=0
;;
(start)
_arguments "${_arguments_options[@]}" : \
'--version=[What people call it]:V:_default' \
'--sha256=[The SHA-256 that the artifact must have]:D:_default' \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--replace[Abandon another release that was prepared]' \
'--wait[Wait while somebody else deploys]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::artifact -- A file or a directory \[default\: the command alone is the release\]:_files' \
&& ret=0
;;
(health)
_arguments "${_arguments_options[@]}" : \
'--version=[What people call it]:V:_default' \
'--sha256=[The SHA-256 that the artifact must have]:D:_default' \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--replace[Abandon another release that was prepared]' \
'--wait[Wait while somebody else deploys]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::artifact -- A file or a directory \[default\: the command alone is the release\]:_files' \
&& ret=0
;;
(switch)
_arguments "${_arguments_options[@]}" : \
'--version=[What people call it]:V:_default' \
'--sha256=[The SHA-256 that the artifact must have]:D:_default' \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--replace[Abandon another release that was prepared]' \
'--wait[Wait while somebody else deploys]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::artifact -- A file or a directory \[default\: the command alone is the release\]:_files' \
&& ret=0
;;
(profile)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--port[Its port instead]' \
'--active[The active profile instead]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(hook)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(rollback)
_arguments "${_arguments_options[@]}" : \
'--if-release=[Only when this one has the traffic; 0 when it has not. An id, the beginning of one, or a version]:ID:_default' \
'--deadline=[Take it back when it has not ended after this time, as 90s or 5m]:D:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--wait[Wait while somebody else deploys]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::release -- An id, the beginning of one, or a version:_default' \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-w[Go on as it changes, until Ctrl-C]' \
'--watch[Go on as it changes, until Ctrl-C]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(history)
_arguments "${_arguments_options[@]}" : \
'-n+[So many entries, the newest last]:LAST:_default' \
'--last=[So many entries, the newest last]:LAST:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_bluegreen__subcmd__history_commands" \
"*::: :->history" \
&& ret=0

    case $state in
    (history)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-history-command-$line[1]:"
        case $line[1] in
            (show)
_arguments "${_arguments_options[@]}" : \
'--html=[Write a page for a browser to FILE, \`-\` is standard output \[default\: APP-deploy-NUMBER.html\]]::FILE:_files' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::id -- Its number, a version, or the beginning of a release'\''s id \[default\: the last one\]:_default' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_bluegreen__subcmd__history__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-history-help-command-$line[1]:"
        case $line[1] in
            (show)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(logs)
_arguments "${_arguments_options[@]}" : \
'-n+[So many lines]:LINES:_default' \
'--lines=[So many lines]:LINES:_default' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-f[Go on as it grows, also across a switch]' \
'--follow[Go on as it grows, also across a switch]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
'::profile -- The profile \[default\: the active one\]:_default' \
&& ret=0
;;
(releases)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
":: :_bluegreen__subcmd__releases_commands" \
"*::: :->releases" \
&& ret=0

    case $state in
    (releases)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-releases-command-$line[1]:"
        case $line[1] in
            (prune)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(pin)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
':release -- An id, the beginning of one, or a version:_default' \
&& ret=0
;;
(unpin)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
':release -- An id, the beginning of one, or a version:_default' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_bluegreen__subcmd__releases__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-releases-help-command-$line[1]:"
        case $line[1] in
            (prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(pin)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(unpin)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(metrics)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'--write[Into the file that the configuration names, instead of printing them]' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(recover)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(up)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
':shell -- For which shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(__app)
_arguments "${_arguments_options[@]}" : \
'--port=[TCP port on 127.0.0.1]:PORT:_default' \
'--profile=[Name of the profile]:PROFILE:_default' \
'--release=[Version to answer with]:VERSION:_default' \
'--artifact=[File whose first line is the version and, after a blank, an optional fault]:ARTIFACT:_files' \
'--boot-ms=[Milliseconds from the start until it listens]:BOOT_MS:_default' \
'--fault=[What is wrong with it]:FAULT:((exits\:"Prints why and exits with 1 instead of listening"
errors\:"Answers everything with status 500"
deaf\:"Runs, and never listens"))' \
'--config=[The configuration \[default\: \$BLUEGREEN_CONFIG, ./bluegreen.toml, /etc/bluegreen/APP.toml\]]:FILE:_files' \
'--app=[The app, when its configuration is /etc/bluegreen/APP.toml]:APP:_default' \
'--format=[\`human\` lines, or \`json\`\: one object per line \[default\: human\]]:FORMAT:((human\:"Lines for people"
json\:"One JSON object per line on stdout"))' \
'--color=[\`auto\`, \`always\` or \`never\` \[default\: auto, which honours NO_COLOR\]]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:"Yes"
never\:"No"))' \
'-q[Say only what went wrong]' \
'--quiet[Say only what went wrong]' \
'-v[Every event as JSON on stderr too]' \
'--verbose[Every event as JSON on stderr too]' \
'--yes[Agree to what would be asked]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_bluegreen__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-help-command-$line[1]:"
        case $line[1] in
            (demo)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(init)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(setup)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(adopt)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(plan)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(deploy)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prepare)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(promote)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(abort)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stop)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(start)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(health)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(switch)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(profile)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(hook)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(rollback)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(history)
_arguments "${_arguments_options[@]}" : \
":: :_bluegreen__subcmd__help__subcmd__history_commands" \
"*::: :->history" \
&& ret=0

    case $state in
    (history)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-help-history-command-$line[1]:"
        case $line[1] in
            (show)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(logs)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(releases)
_arguments "${_arguments_options[@]}" : \
":: :_bluegreen__subcmd__help__subcmd__releases_commands" \
"*::: :->releases" \
&& ret=0

    case $state in
    (releases)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bluegreen-help-releases-command-$line[1]:"
        case $line[1] in
            (prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(pin)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(unpin)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(metrics)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(recover)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(up)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(__app)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_bluegreen_commands] )) ||
_bluegreen_commands() {
    local commands; commands=(
'demo:A tour in under a minute on a private nginx; leaves nothing behind' \
'init:Write a bluegreen.toml from what is found here; asks only on a terminal' \
'setup:The one-time nginx part' \
'adopt:Take over a process that somebody else started on a profile'\''s port' \
'check:Everything that can make a deploy fail, with the fix for each' \
'plan:What deploy would do now, and why; changes nothing' \
'deploy:Bring a release to the idle profile and the traffic to it' \
'prepare:The first half of a deploy\: up to a healthy release without traffic' \
'promote:The second half\: the traffic moves to the prepared release' \
'abort:End what was prepared' \
'stop:Only free the idle profile (as stop.sh)' \
'start:Up to a running release on the idle profile (as start.sh)' \
'health:Up to a healthy release on the idle profile (as health.sh)' \
'switch:The rest of the way\: move the traffic, bake, retire the old release (as switch.sh)' \
'profile:Print the name of the idle profile (as profile.sh)' \
'hook:For AWS CodeDeploy\: does what \$LIFECYCLE_EVENT asks for' \
'rollback:Go back to the last confirmed release, or to RELEASE' \
'status:What runs where, and who gets the traffic' \
'history:What was done' \
'logs:The app'\''s output' \
'releases:The releases that are kept' \
'metrics:Metrics in the text format of Prometheus' \
'recover:Bring what a crash left to a safe state with a name' \
'up:Start what should run, after a reboot' \
'config:The configuration in effect, with the origin of each value' \
'completions:A completion script' \
'man:The manual page' \
'__app:The app of the demo' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'bluegreen commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd____app_commands] )) ||
_bluegreen__subcmd____app_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen __app commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__abort_commands] )) ||
_bluegreen__subcmd__abort_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen abort commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__adopt_commands] )) ||
_bluegreen__subcmd__adopt_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen adopt commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__check_commands] )) ||
_bluegreen__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen check commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__completions_commands] )) ||
_bluegreen__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen completions commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__config_commands] )) ||
_bluegreen__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen config commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__demo_commands] )) ||
_bluegreen__subcmd__demo_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen demo commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__deploy_commands] )) ||
_bluegreen__subcmd__deploy_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen deploy commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__health_commands] )) ||
_bluegreen__subcmd__health_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen health commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help_commands] )) ||
_bluegreen__subcmd__help_commands() {
    local commands; commands=(
'demo:A tour in under a minute on a private nginx; leaves nothing behind' \
'init:Write a bluegreen.toml from what is found here; asks only on a terminal' \
'setup:The one-time nginx part' \
'adopt:Take over a process that somebody else started on a profile'\''s port' \
'check:Everything that can make a deploy fail, with the fix for each' \
'plan:What deploy would do now, and why; changes nothing' \
'deploy:Bring a release to the idle profile and the traffic to it' \
'prepare:The first half of a deploy\: up to a healthy release without traffic' \
'promote:The second half\: the traffic moves to the prepared release' \
'abort:End what was prepared' \
'stop:Only free the idle profile (as stop.sh)' \
'start:Up to a running release on the idle profile (as start.sh)' \
'health:Up to a healthy release on the idle profile (as health.sh)' \
'switch:The rest of the way\: move the traffic, bake, retire the old release (as switch.sh)' \
'profile:Print the name of the idle profile (as profile.sh)' \
'hook:For AWS CodeDeploy\: does what \$LIFECYCLE_EVENT asks for' \
'rollback:Go back to the last confirmed release, or to RELEASE' \
'status:What runs where, and who gets the traffic' \
'history:What was done' \
'logs:The app'\''s output' \
'releases:The releases that are kept' \
'metrics:Metrics in the text format of Prometheus' \
'recover:Bring what a crash left to a safe state with a name' \
'up:Start what should run, after a reboot' \
'config:The configuration in effect, with the origin of each value' \
'completions:A completion script' \
'man:The manual page' \
'__app:The app of the demo' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'bluegreen help commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd____app_commands] )) ||
_bluegreen__subcmd__help__subcmd____app_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help __app commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__abort_commands] )) ||
_bluegreen__subcmd__help__subcmd__abort_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help abort commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__adopt_commands] )) ||
_bluegreen__subcmd__help__subcmd__adopt_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help adopt commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__check_commands] )) ||
_bluegreen__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help check commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__completions_commands] )) ||
_bluegreen__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help completions commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__config_commands] )) ||
_bluegreen__subcmd__help__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help config commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__demo_commands] )) ||
_bluegreen__subcmd__help__subcmd__demo_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help demo commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__deploy_commands] )) ||
_bluegreen__subcmd__help__subcmd__deploy_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help deploy commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__health_commands] )) ||
_bluegreen__subcmd__help__subcmd__health_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help health commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__help_commands] )) ||
_bluegreen__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help help commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__history_commands] )) ||
_bluegreen__subcmd__help__subcmd__history_commands() {
    local commands; commands=(
'show:One deploy\: its timeline, and why it failed if it did' \
    )
    _describe -t commands 'bluegreen help history commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__history__subcmd__show_commands] )) ||
_bluegreen__subcmd__help__subcmd__history__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help history show commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__hook_commands] )) ||
_bluegreen__subcmd__help__subcmd__hook_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help hook commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__init_commands] )) ||
_bluegreen__subcmd__help__subcmd__init_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help init commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__logs_commands] )) ||
_bluegreen__subcmd__help__subcmd__logs_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help logs commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__man_commands] )) ||
_bluegreen__subcmd__help__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help man commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__metrics_commands] )) ||
_bluegreen__subcmd__help__subcmd__metrics_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help metrics commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__plan_commands] )) ||
_bluegreen__subcmd__help__subcmd__plan_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help plan commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__prepare_commands] )) ||
_bluegreen__subcmd__help__subcmd__prepare_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help prepare commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__profile_commands] )) ||
_bluegreen__subcmd__help__subcmd__profile_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help profile commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__promote_commands] )) ||
_bluegreen__subcmd__help__subcmd__promote_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help promote commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__recover_commands] )) ||
_bluegreen__subcmd__help__subcmd__recover_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help recover commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__releases_commands] )) ||
_bluegreen__subcmd__help__subcmd__releases_commands() {
    local commands; commands=(
'prune:Remove all but the newest and those that are needed' \
'pin:Never remove this one' \
'unpin:Let it be removed again' \
    )
    _describe -t commands 'bluegreen help releases commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__releases__subcmd__pin_commands] )) ||
_bluegreen__subcmd__help__subcmd__releases__subcmd__pin_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help releases pin commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__releases__subcmd__prune_commands] )) ||
_bluegreen__subcmd__help__subcmd__releases__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help releases prune commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__releases__subcmd__unpin_commands] )) ||
_bluegreen__subcmd__help__subcmd__releases__subcmd__unpin_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help releases unpin commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__rollback_commands] )) ||
_bluegreen__subcmd__help__subcmd__rollback_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help rollback commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__setup_commands] )) ||
_bluegreen__subcmd__help__subcmd__setup_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help setup commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__start_commands] )) ||
_bluegreen__subcmd__help__subcmd__start_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help start commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__status_commands] )) ||
_bluegreen__subcmd__help__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help status commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__stop_commands] )) ||
_bluegreen__subcmd__help__subcmd__stop_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help stop commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__switch_commands] )) ||
_bluegreen__subcmd__help__subcmd__switch_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help switch commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__help__subcmd__up_commands] )) ||
_bluegreen__subcmd__help__subcmd__up_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen help up commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__history_commands] )) ||
_bluegreen__subcmd__history_commands() {
    local commands; commands=(
'show:One deploy\: its timeline, and why it failed if it did' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'bluegreen history commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__history__subcmd__help_commands] )) ||
_bluegreen__subcmd__history__subcmd__help_commands() {
    local commands; commands=(
'show:One deploy\: its timeline, and why it failed if it did' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'bluegreen history help commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__history__subcmd__help__subcmd__help_commands] )) ||
_bluegreen__subcmd__history__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen history help help commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__history__subcmd__help__subcmd__show_commands] )) ||
_bluegreen__subcmd__history__subcmd__help__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen history help show commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__history__subcmd__show_commands] )) ||
_bluegreen__subcmd__history__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen history show commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__hook_commands] )) ||
_bluegreen__subcmd__hook_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen hook commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__init_commands] )) ||
_bluegreen__subcmd__init_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen init commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__logs_commands] )) ||
_bluegreen__subcmd__logs_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen logs commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__man_commands] )) ||
_bluegreen__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen man commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__metrics_commands] )) ||
_bluegreen__subcmd__metrics_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen metrics commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__plan_commands] )) ||
_bluegreen__subcmd__plan_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen plan commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__prepare_commands] )) ||
_bluegreen__subcmd__prepare_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen prepare commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__profile_commands] )) ||
_bluegreen__subcmd__profile_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen profile commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__promote_commands] )) ||
_bluegreen__subcmd__promote_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen promote commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__recover_commands] )) ||
_bluegreen__subcmd__recover_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen recover commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases_commands] )) ||
_bluegreen__subcmd__releases_commands() {
    local commands; commands=(
'prune:Remove all but the newest and those that are needed' \
'pin:Never remove this one' \
'unpin:Let it be removed again' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'bluegreen releases commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__help_commands] )) ||
_bluegreen__subcmd__releases__subcmd__help_commands() {
    local commands; commands=(
'prune:Remove all but the newest and those that are needed' \
'pin:Never remove this one' \
'unpin:Let it be removed again' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'bluegreen releases help commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__help__subcmd__help_commands] )) ||
_bluegreen__subcmd__releases__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen releases help help commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__help__subcmd__pin_commands] )) ||
_bluegreen__subcmd__releases__subcmd__help__subcmd__pin_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen releases help pin commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__help__subcmd__prune_commands] )) ||
_bluegreen__subcmd__releases__subcmd__help__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen releases help prune commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__help__subcmd__unpin_commands] )) ||
_bluegreen__subcmd__releases__subcmd__help__subcmd__unpin_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen releases help unpin commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__pin_commands] )) ||
_bluegreen__subcmd__releases__subcmd__pin_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen releases pin commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__prune_commands] )) ||
_bluegreen__subcmd__releases__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen releases prune commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__releases__subcmd__unpin_commands] )) ||
_bluegreen__subcmd__releases__subcmd__unpin_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen releases unpin commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__rollback_commands] )) ||
_bluegreen__subcmd__rollback_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen rollback commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__setup_commands] )) ||
_bluegreen__subcmd__setup_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen setup commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__start_commands] )) ||
_bluegreen__subcmd__start_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen start commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__status_commands] )) ||
_bluegreen__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen status commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__stop_commands] )) ||
_bluegreen__subcmd__stop_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen stop commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__switch_commands] )) ||
_bluegreen__subcmd__switch_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen switch commands' commands "$@"
}
(( $+functions[_bluegreen__subcmd__up_commands] )) ||
_bluegreen__subcmd__up_commands() {
    local commands; commands=()
    _describe -t commands 'bluegreen up commands' commands "$@"
}

if [ "$funcstack[1]" = "_bluegreen" ]; then
    _bluegreen "$@"
else
    compdef _bluegreen bluegreen
fi
