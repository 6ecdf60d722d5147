# Shared application (accessible by both teams)
resource "cloudflare_zero_trust_access_application" "app" {
  account_id           = var.account_id
  name                 = var.app_name
  domain               = "example.org"
  type                 = "self_hosted"
  session_duration     = "24h"
  app_launcher_visible = true
  
  # Enhanced security settings
  auto_redirect_to_identity = true
  enable_binding_cookie    = true
  http_only_cookie_attribute = true
  same_site_cookie_attribute = "strict"
  
  # CORS settings for better security
  cors_headers {
    allowed_methods = ["GET", "POST", "OPTIONS"]
    allowed_origins = ["https://*.example.org"]
    allow_credentials = true
    max_age = 86400
  }
}

# First team's application
resource "cloudflare_zero_trust_access_application" "first" {
  account_id = var.account_id
  name       = "${var.first_team_name} Application"
  domain     = var.first_team_app_domain
  type       = "self_hosted"
  session_duration = "24h"
}
