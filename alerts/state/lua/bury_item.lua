-- ARGV: prefix, entry id, JSON of the dead letter.
redis.call('HSET', key('items:dead'), ARGV[2], ARGV[3])
redis.call('XACK', key('items'), 'sift', ARGV[2])
redis.call('HDEL', key('items:claims'), ARGV[2])
count('items_dead')
return 'done'
