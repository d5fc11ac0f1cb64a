#   The Lua broker, worker and client of lzmq-zguide (github.com/moteus/lzmq-zguide,
#   examples/Lua-lzmq), with lzmq (github.com/zeromq/lzmq) for Lua 5.3 in the folder LUALIB:
#
#       seatrial run --target lzmq-zguide --define lzmq=PATH --define lualib=LUALIB
#
#   They are modules: the commands here add the line that starts them. Heartbeats are fixed
#   at 2.5 s.
target
    name = "the Lua broker, worker and client of lzmq-zguide"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1"
    heartbeat = 2500
broker
    command = "{ cat ${lzmq}/examples/Lua-lzmq/mdbroker.lua; echo 'Broker:new (arg [1], false):start ()'; } > broker.lua && LUA_CPATH='${lualib}/?.so' LUA_PATH='${lzmq}/examples/Lua-lzmq/?.lua;${lualib}/?.lua' exec lua5.3 broker.lua ${endpoint}"
worker
    command = "LUA_CPATH='${lualib}/?.so' LUA_PATH='${lzmq}/examples/Lua-lzmq/?.lua;${lualib}/?.lua' exec lua5.3 -e 'local w, m = require ([[mdwrkapi]]).new ([[${endpoint}]], [[echo]]) repeat m = w:recv (m) until not m'"
    slow = "LUA_CPATH='${lualib}/?.so' LUA_PATH='${lzmq}/examples/Lua-lzmq/?.lua;${lualib}/?.lua' exec lua5.3 -e 'local w, m = require ([[mdwrkapi]]).new ([[${endpoint}]], [[echo]]) repeat m = w:recv (m) os.execute ([[sleep 30]]) until not m'"
client
    command = "echo 'local b = table.move (arg, 2, #arg, 1, {}) local r = require ([[mdcliapi]]).new ([[${endpoint}]]):send (arg [1], b) if not r then os.exit (1) end print (table.concat (r, [[ ]]))' | LUA_CPATH='${lualib}/?.so' LUA_PATH='${lzmq}/examples/Lua-lzmq/?.lua;${lualib}/?.lua' lua5.3 - ${service} ${body}"
    prints = 1
