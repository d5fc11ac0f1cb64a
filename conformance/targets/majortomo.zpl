#   The Python broker, worker and client of majortomo (github.com/shoppimon/majortomo),
#   which says that it speaks 0.2:
#
#       seatrial run --target majortomo --define majortomo=PATH
#
#   PATH is its folder, and whatever else Python needs, separated by colons.
target
    name = "majortomo"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.2"
    heartbeat = 1000
broker
    command = "PYTHONPATH=${majortomo} /usr/bin/python3 -m majortomo.broker -b ${endpoint} -i 1 -t 4 -B 8"
worker
    command = "PYTHONPATH=${majortomo} /usr/bin/python3 -m majortomo.echo -b ${endpoint} -n echo worker -i 1"
    slow = "PYTHONPATH=${majortomo} /usr/bin/python3 -m majortomo.echo -b ${endpoint} -n echo worker -i 1 -d 12"
client
    command = "PYTHONPATH=${majortomo} /usr/bin/python3 -m majortomo.echo -b ${endpoint} -n ${service} client -m ${body} -t 10"
