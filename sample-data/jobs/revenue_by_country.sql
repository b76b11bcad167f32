/* hosu:job
target   = "curated.revenue_by_country"
mode     = "full"
schedule = "15 0 * * *"                # a quarter past midnight in Seoul
timezone = "Asia/Seoul"
tests    = ["amount > 0"]
retries  = 3
timeout  = "10m"
*/
select geo.country, currency, count(*) as purchases, count(distinct user_id) as buyers, round(sum(amount), 2) as amount
from raw.events
where type = 'purchase'
group by geo.country, currency
