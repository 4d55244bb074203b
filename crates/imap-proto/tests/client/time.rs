//! How long a server may take.

use postkey_imap_proto::types::Command;
use postkey_imap_proto::{Config, Security};
use wire::Need;

#[test]
fn a_silent_server_is_given_up_after_its_own_time_for_each_wait() {
    // IS-06, IS-13; time is virtual: the kit jumps to the deadline the machine names.
    use postkey_imap_proto::Client;
    use wire::{InBuf, Machine, Tick};
    let config = Config::new(Security::DangerousPlaintext);
    let mut client = Client::new(config);
    let mut input = InBuf::new(1 << 20);
    assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Input);
    let at = client.deadline().unwrap();
    assert_eq!(at.as_millis(), 30_000);
    assert_eq!(client.advance(&mut input, at), Need::Event);
    let error = client.event(&input).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the server sent no greeting in time");

    let mut client = Client::new(config);
    input.extend(b"* PREAUTH hi\r\n");
    assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Event);
    client.event(&input).unwrap().unwrap();
    client.send(&Command::Logout).unwrap();
    assert_eq!(client.advance(&mut input, Tick::ZERO), Need::Input);
    let at = client.deadline().unwrap();
    assert_eq!(at.as_millis(), 2_000);
    assert_eq!(client.advance(&mut input, at), Need::Close, "a LOGOUT without answer is nobody's loss");
}

#[test]
fn a_body_that_drips_is_given_up_and_one_that_flows_is_not() {
    // DU-11, IS-07
    use postkey_imap_proto::Client;
    use wire::{InBuf, Machine, Tick};
    for (per_second, survives) in [(1usize, false), (1000, true)] {
        let mut client = Client::new(Config::new(Security::DangerousPlaintext));
        let mut input = InBuf::new(1 << 20);
        let mut now = Tick::ZERO;
        input.extend(b"* PREAUTH hi\r\n");
        let mut alive = true;
        let mut begun = false;
        for second in 0..300u64 {
            now = Tick::from_millis(second * 1000);
            loop {
                match client.advance(&mut input, now) {
                    Need::Event => alive &= client.event(&input).unwrap().is_ok(),
                    Need::App if !begun => {
                        client.send(&Command::Noop).unwrap();
                        input.extend(b"* 1 FETCH (UID 1 BODY[] {400000}\r\n");
                        begun = true;
                    }
                    Need::Input | Need::Close => break,
                    other => panic!("{other:?}"),
                }
            }
            if !alive {
                break;
            }
            let n = client.output().len();
            client.output().sent(n);
            input.extend(&vec![b'x'; per_second]);
        }
        assert_eq!(alive, survives, "{per_second} octets per second, gave up at {now:?}");
    }
}
