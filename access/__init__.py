"""How services reach what they depend on: users, certificates, rights; waiting while it is down."""
