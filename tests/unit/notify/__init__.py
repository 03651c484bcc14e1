"""How people are told, without sockets."""
