//! The nginx of this machine, as far as it matters to an app.

use std::path::PathBuf;

use bluegreen_nginx::{
    Commands, Master, MasterError,
    setup::{Door, Place, Survey},
};

/// What was seen of nginx.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// `None` when there is none on this machine.
    pub(crate) version: Option<String>,
    /// The pid, when it runs.
    pub(crate) pid: Option<u32>,
    /// Whether several run, and nothing says which one is meant.
    pub(crate) several: bool,
    /// Why its configuration was not looked at.
    pub(crate) unseen: Option<String>,
    pub(crate) configuration: PathBuf,
    /// The article's `set $service_url`, and what it is set to.
    pub(crate) service_url: Option<(Place, String)>,
    /// The ports that requests go to, each with the place of a `proxy_pass` and its front door.
    pub(crate) passes: Vec<(u16, Place, Option<Door>)>,
    pub(crate) doors: Vec<Door>,
    /// Every port that it names, and where.
    pub(crate) ports: Vec<(u16, Place)>,
}

/// Looks at the nginx that `master` is. Changes nothing, and needs no root.
pub(crate) async fn look(master: &Master) -> Proxy {
    let pid = master.pid();
    let version = master.version().await;
    let several = matches!(pid, Err(MasterError::Several(_)));
    let unseen = match (&pid, &version) {
        (Ok(_) | Err(MasterError::NotRunning(_) | MasterError::Several(_)), Ok(_) | Err(MasterError::NoProgram)) => {
            None
        }
        (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
    };
    let version = match version {
        Ok(version) => Some(version.to_string()),
        Err(MasterError::NoProgram) => None,
        Err(_) => Some("of an unknown version".to_owned()),
    };
    let mut proxy = Proxy { version, pid: pid.ok(), several, unseen, ..Proxy::default() };
    match master.command() {
        Ok(command) => {
            let commands = Commands::new(command);
            proxy.configuration = commands.configuration().await;
            match Survey::of(&commands, &proxy.configuration).await {
                Ok(survey) => proxy.read(&survey),
                Err(error) => {
                    let file = proxy.configuration.display();
                    proxy.unseen = Some(format!("where nginx leads is not known, as {file} cannot be read: {error}"));
                }
            }
        }
        Err(error) => proxy.unseen = Some(error.to_string()).filter(|_| !several),
    }
    proxy
}

impl Proxy {
    fn read(&mut self, survey: &Survey) {
        self.service_url = survey.sets("$service_url").into_iter().next();
        (self.doors, self.ports) = (survey.doors(), survey.ports());
        for pass in survey.passes() {
            if let Some(port) = pass.port.filter(|port| !self.passes.iter().any(|(known, ..)| known == port)) {
                self.passes.push((port, pass.at, pass.door));
            }
        }
    }

    /// The one port that requests go to, and where users come in for it.
    pub(crate) fn target(&self) -> Option<(u16, &Place, Option<&Door>)> {
        let article = self.passes.iter().filter(|_| self.service_url.is_some());
        let port = |url: &str| url.rsplit(':').next()?.trim_end_matches('/').parse::<u16>().ok();
        let set = self.service_url.as_ref().and_then(|(_, url)| port(url));
        let mut meant = article.filter(|(port, ..)| Some(*port) == set);
        let only = || if let [only] = &self.passes[..] { Some(only) } else { None };
        meant.next().or_else(only).map(|(port, place, door)| (*port, place, door.as_ref()))
    }

    /// Where users come in when nothing leads to the app yet: the first server block on port 80, else the first.
    pub(crate) fn door(&self) -> Option<&Door> {
        self.target()
            .map_or_else(|| self.doors.iter().find(|door| door.port == 80).or(self.doors.first()), |(.., door)| door)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Proxy {
        let home = tempfile::tempdir().unwrap();
        let main = home.path().join("nginx.conf");
        std::fs::write(&main, text).unwrap();
        let mut proxy = Proxy::default();
        proxy.read(&Survey::walk(&main).unwrap());
        proxy
    }

    #[test]
    fn the_articles_include_says_which_port_is_meant() {
        let article = "set $service_url http://127.0.0.1:8082; location / { proxy_pass $service_url; }";
        let proxy = read(&format!(
            "http {{ server {{ location / {{ proxy_pass http://localhost:3000; }} }} server {{ listen 81; {article} }} }}"
        ));
        let (port, _, door) = proxy.target().unwrap();
        assert_eq!((port, door.unwrap().port, proxy.door().unwrap().port), (8082, 81, 81));
    }

    #[test]
    fn of_several_apps_none_is_taken_for_ours() {
        let pass = |port: u16| format!("location /{port} {{ proxy_pass http://127.0.0.1:{port}; }}");
        let of = |ports: &[u16]| {
            read(&format!("http {{ server {{ {} }} }}", ports.iter().map(|p| pass(*p)).collect::<String>()))
        };
        assert_eq!(of(&[3000, 3000]).target().map(|(port, ..)| port), Some(3000));
        assert_eq!(of(&[3000, 4000]).target(), None);
        assert_eq!(of(&[]).door().map(|door| door.port), Some(80));
    }
}
