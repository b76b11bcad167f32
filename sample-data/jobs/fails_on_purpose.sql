/* hosu:job
target = "curated.purchases_in_euro"
mode   = "append"
tests  = ["currency = 'EUR'"]          # there are other purchases: the run fails, and the target is never made
*/
select order_id, user_id, currency, amount
from raw.events
where type = 'purchase'
