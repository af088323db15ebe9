-- ARGV: prefix, name * n. Answers the hashes of these keys, in their order: one call is cheaper than n commands.
local rows = {}
for i = 2, #ARGV do rows[i - 1] = redis.call('HGETALL', key(ARGV[i])) end
return rows
