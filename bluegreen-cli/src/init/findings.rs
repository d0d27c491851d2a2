//! All that was found in a directory.

use std::path::Path;

use super::{
    artifact,
    found::App,
    ports::{Ephemeral, Neighbour, Owner},
    proxy::Proxy,
    scripts::{self, Scripts},
    texts::Texts,
};
use crate::appspec::AppSpec;

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) app: Option<App>,
    pub(crate) spec: Option<AppSpec>,
    pub(crate) scripts: Scripts,
    pub(crate) proxy: Option<Proxy>,
    /// Who listens on the ports that matter.
    pub(crate) owners: Vec<Owner>,
    /// The ports of other apps.
    pub(crate) neighbours: Vec<Neighbour>,
    /// The ports of the kernel.
    pub(crate) ephemeral: Ephemeral,
    /// What could not be looked at, and would have counted.
    pub(crate) unseen: Vec<String>,
}

/// Looks at `dir`, or at `artifact` in it when one is named.
pub(crate) fn look_at(dir: &Path, artifact: Option<&Path>) -> Findings {
    let texts = Texts::default();
    let spec = AppSpec::find(dir, &texts);
    let scripts = scripts::find(dir, spec.as_ref(), &texts);
    let app = match artifact {
        Some(path) => Some(artifact::app_of(dir, path, &texts)),
        None => artifact::app_in(dir, &texts),
    };
    Findings { app, spec, scripts, unseen: texts.unread(), ..Findings::default() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_taken_for_absent() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look_at(dir.path(), None).unseen, [""; 0]);
        let file = |name: &str| dir.path().join(name);
        fs::write(file("package.json"), "{ \"name\": ").unwrap();
        fs::create_dir(file("requirements.txt")).unwrap();
        fs::create_dir(file("appspec.yml")).unwrap();
        let unseen = look_at(dir.path(), None).unseen;
        let said = format!("{} cannot be read: EOF while parsing", file("package.json").display());
        assert!(unseen.len() == 1 && unseen[0].starts_with(&said), "{unseen:?}");
        fs::remove_file(file("package.json")).unwrap();
        let unseen = look_at(dir.path(), None).unseen;
        let said = format!("{} cannot be read: ", file("requirements.txt").display());
        assert!(unseen.len() == 1 && unseen[0].starts_with(&said), "{unseen:?}");
    }
}
