//! SMTP without I/O: types, grammar, client machine, server machine.
