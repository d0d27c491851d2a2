//! A Python web app: gunicorn or uvicorn in front of a module.

use std::path::Path;

use toml::Table;

use super::{found::App, texts::Texts};

/// Modules that hold the app by custom, with its variable.
const MODULES: [(&str, &str); 6] = [
    ("wsgi.py", "app"),
    ("asgi.py", "app"),
    ("app.py", "app"),
    ("main.py", "app"),
    ("server.py", "app"),
    ("application.py", "application"),
];

/// The app in this directory.
pub(super) fn app(dir: &Path, texts: &Texts) -> Option<App> {
    let file = dir.join("pyproject.toml");
    let unread = |error: toml::de::Error| texts.cannot_read(&file, &error.message());
    let project: Option<Table> = texts.of(&file).map(|text| text.parse().map_err(unread).unwrap_or_default());
    let requirements = texts.of(&dir.join("requirements.txt")).unwrap_or_default();
    let (module, found) = module(dir, texts)?;
    if project.is_none() && requirements.is_empty() && !matches!(found.as_str(), "wsgi.py" | "asgi.py") {
        return None;
    }
    let needs =
        format!("{requirements}{}", project.as_ref().map(ToString::to_string).unwrap_or_default()).to_lowercase();
    let asynchronous =
        found == "asgi.py" || ["fastapi", "starlette", "uvicorn"].iter().any(|name| needs.contains(name));
    let name = project.as_ref().and_then(|p| p.get("project")?.get("name")?.as_str()).map(str::to_owned);
    let server: &[&str] = match (asynchronous, needs.contains("gunicorn")) {
        (true, false) => &["uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--app-dir", "{artifact}"],
        (true, true) => {
            &["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "--bind", "127.0.0.1:{port}", "--chdir", "{artifact}"]
        }
        (false, _) => &["gunicorn", "--bind", "127.0.0.1:{port}", "--chdir", "{artifact}"],
    };
    // the environment goes along with the release: python finds it by its own place, scripts in it would not
    let own = [".venv", "venv"].into_iter().find(|name| dir.join(name).join("bin/python").exists());
    let start = own.map(|venv| [format!("{{artifact}}/{venv}/bin/python"), "-m".to_owned()]);
    let server = server.iter().map(ToString::to_string);
    Some(App {
        kind: if project.is_some() { "pyproject.toml" } else { "python" },
        name,
        artifact: Some(".".into()),
        command: start.into_iter().flatten().chain(server).chain([module.clone()]).collect(),
        details: vec![format!("{module} in {found}")],
        ..App::default()
    })
}

/// The module as gunicorn names it, and its file.
fn module(dir: &Path, texts: &Texts) -> Option<(String, String)> {
    let here = MODULES.iter().find_map(|(file, variable)| {
        let text = texts.of(&dir.join(file))?;
        let named = [variable, &"application", &"app"].into_iter().find(|name| defines(&text, name))?;
        Some((format!("{}:{named}", file.trim_end_matches(".py")), (*file).to_owned()))
    });
    // Django: PROJECT/wsgi.py
    let below = || {
        let mut dirs = texts.entries(dir);
        dirs.retain(|path| path.join("wsgi.py").is_file());
        dirs.sort();
        let name = dirs.first()?.file_name()?.to_str()?.to_owned();
        Some((format!("{name}.wsgi:application"), format!("{name}/wsgi.py")))
    };
    here.or_else(below)
}

/// Whether `name` is given a value at the top level.
fn defines(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.strip_prefix(name).or_else(|| line.strip_prefix("def ")?.strip_prefix(name));
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', ':', '(']))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<App> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        app(dir.path(), &Texts::default())
    }

    #[test]
    fn flask_django_and_fastapi() {
        let command = |files: &[(&str, &str)]| found(files).map(|app| app.command.join(" "));
        let gunicorn = "gunicorn --bind 127.0.0.1:{port} --chdir {artifact}";
        let flask = [("app.py", "from flask import Flask\napp = Flask(__name__)\n"), ("requirements.txt", "flask\n")];
        assert_eq!(command(&flask), Some(format!("{gunicorn} app:app")));
        assert_eq!(
            command(&[("wsgi.py", "def application(environ, start):\n")]),
            Some(format!("{gunicorn} wsgi:application"))
        );
        let django = [("shop/wsgi.py", "application = get()\n"), ("requirements.txt", "django\n")];
        assert_eq!(command(&django), Some(format!("{gunicorn} shop.wsgi:application")));
        let fastapi = [
            ("main.py", "app = FastAPI()\n"),
            ("pyproject.toml", "[project]\nname = 'shop'\ndependencies = ['fastapi']\n"),
        ];
        assert_eq!(found(&fastapi).unwrap().name.as_deref(), Some("shop"));
        assert!(command(&fastapi).unwrap().starts_with("uvicorn --host 127.0.0.1 --port {port}"));
        let own = [&flask[..], &[(".venv/bin/python", "")]].concat();
        assert_eq!(command(&own), Some(format!("{{artifact}}/.venv/bin/python -m {gunicorn} app:app")));
    }

    #[test]
    fn a_script_is_no_web_app() {
        assert_eq!(found(&[("main.py", "app = 1\n")]), None);
        assert_eq!(found(&[("pyproject.toml", "")]), None);
    }
}
