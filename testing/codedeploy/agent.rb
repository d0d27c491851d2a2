# agent.rb CONF BUNDLE: one deployment of the bundle in this directory by the real agent, hook after hook, without AWS.
require "rubygems"
begin
  require "minitar"
rescue LoadError
  require "archive-tar-minitar"
end
require "aws/codedeploy/local/deployer"
AWS::CodeDeploy::Local::Deployer.new(ARGV[0]).execute_events(
  {"--bundle-location" => ARGV[1], "--type" => "directory", "--file-exists-behavior" => "OVERWRITE", "--deployment-group" => "g1",
   "--deployment-group-name" => "webs", "--application-name" => "webservice", "--appspec-filename" => "appspec.yml", "--events" => nil,
   "--agent-configuration-file" => nil}
)
