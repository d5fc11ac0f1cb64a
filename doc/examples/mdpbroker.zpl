#   Settings of mdpbroker, see mdpbroker(1). On this machine only.
endpoint = "tcp://127.0.0.1:5555"
heartbeat = 2500
liveness = 3
expiry = 60000
verbose = no
#   What follows is read again at systemctl reload
max
    services = 10000
    workers = 10000
    requests = 100000
    service-requests = 50000
    bytes = 1073741824
    frames = 4096
