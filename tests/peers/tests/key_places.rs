//! The program `age` and GNOME Keyring: they open what postkey seals, and postkey opens what they hold.

use std::fs;
use std::path::Path;

use postkey_peers::home::{Home, finish};
use postkey_peers::{Program, available};
use sandbox::{ANA, DAEMON_APP, Sandbox};

/// A home with an account `daemon` whose token is in the store.
struct Scene {
    _sandbox: Sandbox,
    _runtime: tokio::runtime::Runtime,
    home: Home,
    token: String,
}

impl Scene {
    fn set(test: &str, programs: &[Program]) -> Option<Self> {
        if !available(test, &[&[Program::Postkey], programs].concat()) {
            return None;
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::builder().messages(0).start()).unwrap();
        let mut scene =
            Self { _sandbox: sandbox, _runtime: runtime, home: Home::new(), token: String::new() };
        let app = scene._sandbox.app(DAEMON_APP).unwrap();
        scene.home.private("ca.pem", scene._sandbox.ca_pem());
        scene.home.private("secret", app.secret().unwrap().expose());
        scene.home.configure(&format!(
            "[accounts.daemon]\nuser = \"{ANA}\"\ntenant = \"{}\"\nclient_id = \"{}\"\nflow = \"app\"\n\
                 client_secret = {{ file = \"~/secret\" }}\n\
                 [accounts.daemon.oauth]\nauthority = \"{}\"\nca_file = \"~/ca.pem\"\n",
            scene._sandbox.tenant_id(),
            app.id(),
            scene._sandbox.base_url(),
        ));
        scene.token = scene.shell("postkey token");
        Some(scene)
    }

    /// What a line of the shell prints.
    #[track_caller]
    fn shell(&self, script: &str) -> String {
        self.run("sh", &["-ec", script])
    }

    /// What a program prints that finds `postkey` as its user would.
    #[track_caller]
    fn run(&self, program: &str, args: &[&str]) -> String {
        let own = Program::Postkey.find().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.home.command_of(Path::new(program), args);
        command.env("PATH", format!("{}:{path}", own.parent().unwrap().display())).env("LC_ALL", "C.UTF-8");
        finish(command.spawn().unwrap(), String::new()).code(0).stdout
    }

    /// The key's text.
    fn key(&self) -> String {
        fs::read_to_string(self.home.state().join("tokens.key")).unwrap().trim().to_owned()
    }
}

fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.path() {
        path if path.is_dir() => holds(&path, text),
        path => String::from_utf8_lossy(&fs::read(path).unwrap()).contains(text),
    })
}

#[test]
fn age_opens_what_export_seals_and_seals_what_import_opens() {
    let test = "age_opens_what_export_seals_and_seals_what_import_opens";
    let Some(scene) = Scene::set(test, &[Program::Age]) else { return };
    scene.shell("umask 077; age-keygen -o id; age-keygen -y id > recipient; postkey token export daemon --to \"$(cat recipient)\" > sealed");
    let opened = scene.shell("age --decrypt -i id sealed");
    assert!(opened.contains(scene.token.trim()) && !holds(scene.home.dir.path(), scene.token.trim()));
    // The other way round; what comes back is the token that was handed over, not a new one.
    scene.shell(
        "age --decrypt -i id sealed | age --armor -r \"$(cat recipient)\" > resealed; postkey logout daemon",
    );
    scene.shell("postkey token import resealed --identity id");
    assert_eq!(scene.shell("postkey token"), scene.token);
}

#[test]
fn age_opens_the_stores_key_and_makes_one_that_opens_the_store() {
    let test = "age_opens_the_stores_key_and_makes_one_that_opens_the_store";
    let Some(scene) = Scene::set(test, &[Program::Age]) else { return };
    let key = scene.key();
    scene.shell("umask 077; age-keygen -o id; age-keygen -o other; postkey store rekey --age k.age --identity id --recipient \"$(age-keygen -y other)\"");
    for identity in ["id", "other"] {
        assert_eq!(scene.shell(&format!("age --decrypt -i {identity} k.age")).trim(), key);
    }
    scene.shell("rm .local/state/postkey/tokens.key; postkey token");
    // By hand, as the documentation says.
    scene.shell("umask 077; age -d -i id k.age | age -r \"$(age-keygen -y other)\" -o made.age; postkey store rekey --age made.age --identity other; rm k.age");
    assert_eq!(scene.shell("postkey token"), scene.token);
}

#[test]
fn gnome_keyring_keeps_the_stores_key() {
    let test = "gnome_keyring_keeps_the_stores_key";
    let Some(scene) = Scene::set(test, &[Program::SecretService]) else { return };
    let key = scene.key();
    // A session bus of its own, with a keyring that nobody else has, gone when the script ends.
    let script = "printf words | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
        postkey store rekey --keyring secret-service >/dev/null
        rm .local/state/postkey/tokens.key
        postkey token
        secret-tool lookup service postkey username \"key of $HOME/.local/state/postkey/tokens\"
        echo
        postkey store rekey --file back >/dev/null
        postkey token";
    let printed = scene.run("dbus-run-session", &["--", "sh", "-ec", script]);
    let lines: Vec<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, [scene.token.trim(), &key, scene.token.trim()]);
    assert_eq!(fs::read_to_string(scene.home.path("back")).unwrap().trim(), key);
    // Without that bus the file still does.
    assert_eq!(scene.shell("postkey token"), scene.token);
}
