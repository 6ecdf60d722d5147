# Firewall rules
resource "cloudflare_filter" "block_bad_bots" {
  zone_id     = local.zone_id
  description = "Block known bad bots and scrapers"
  expression  = "(cf.client.bot) and not (cf.client.bot_category in {\"Search Engine Crawler\" \"Preview Link Generator\"})"
}

# Access policy for admin endpoints
resource "cloudflare_access_application" "admin_app" {
  zone_id          = local.zone_id
  name             = "Admin Dashboard"
  domain           = "config.example.com"
  type             = "self_hosted"
  session_duration = "24h"
  
  cors_headers {
    allowed_methods = ["GET", "POST", "OPTIONS"]
    allowed_origins = ["https://config.example.com"]
    allow_credentials = true
    max_age = 600
  }
}

variable "cloudflare_api_token" {
  description = "Cloudflare API token"
  type        = string
  sensitive   = true
}
