"""How clients get in: what each is told of servers, users, certificates; the rights needed."""
