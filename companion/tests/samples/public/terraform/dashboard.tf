# The protected application
resource "cloudflare_access_application" "internal_app" {
  zone_id          = var.zone_id
  name             = "Internal Dashboard"
  domain           = "dashboard.example.com"
  type             = "self_hosted"
  session_duration = "8h"

  cors_headers {
    allowed_origins = ["https://dashboard.example.com"]
    allow_all_methods = true
  }
}

resource "cloudflare_access_policy" "engineering_only" {
  application_id = cloudflare_access_application.internal_app.id
  zone_id        = var.zone_id
  name           = "Engineering Access"
  precedence     = 1
  decision       = "allow"

  include {
    group = [cloudflare_access_group.engineering.id]
  }
}
