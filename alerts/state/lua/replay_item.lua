-- ARGV: prefix, entry id. Puts a dead item back at the end of the queue.
local dead = redis.call('HGET', key('items:dead'), ARGV[2])
if not dead then return 'missing' end
redis.call('XADD', key('items'), '*', 'c', cjson.decode(dead)['change'])
redis.call('HDEL', key('items:dead'), ARGV[2])
return 'done'
