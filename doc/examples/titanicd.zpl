#   Settings of titanicd, see titanicd(1), for a broker on another machine.
endpoint = "tcp://broker.example.org:5555"
store = "sqlite:titanic.db"
heartbeat = 2500
curve
    cert = "/etc/seatrial/titanicd"
    server = "/etc/seatrial/broker"
#   What follows is read again at systemctl reload, and certificates too
verbose = no
max
    message = 4194304
    stored-bytes = 10737418240
