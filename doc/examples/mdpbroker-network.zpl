#   Settings of mdpbroker on a network, encrypted, for those whose certificates are in a
#   directory. See security.md for how to make them.
endpoint = "tcp://*:5555"
heartbeat = 2500
curve
    cert = "/etc/seatrial/broker"
    clients = "/etc/seatrial/clients"
max
    connections = 5000
    message = 4194304
