# Tests give names addresses of this machine (:inet_db.add_host/2).
:inet_db.set_lookup([:file, :native])
# A machine that is busy needs longer than the default of 100 ms.
ExUnit.start(capture_log: true, assert_receive_timeout: 10_000)
