locals {
  name_prefix       = "acme"
  app_domain_suffix = "example.com"
}

resource "cloudflare_zero_trust_access_application" "maximal" {
  account_id                   = local.common_account_id
  name                         = "${local.name_prefix} Maximal"
  domain                       = "${local.name_prefix}-maximal.${local.app_domain_suffix}"
  type                         = "self_hosted"
  same_site_cookie_attribute   = "strict"
  custom_deny_message          = "Access denied - contact admin"
  service_auth_401_redirect    = true

  cors_headers = {
    allowed_methods   = ["GET", "POST", "PUT", "DELETE"]
    allowed_origins   = ["https://${local.name_prefix}-app.${local.app_domain_suffix}"]
    allowed_headers   = ["Content-Type", "Authorization"]
    allow_credentials = true
    max_age           = 3600
  }
}

resource "cloudflare_zero_trust_access_application" "each" {
  for_each         = toset(["dev", "prod"])
  account_id       = local.common_account_id
  name             = "${local.name_prefix} ${each.key}"
  domain           = "${local.name_prefix}-${each.key}.${local.app_domain_suffix}"
  session_duration = each.key == "prod" ? "8h" : "24h"
  type             = "self_hosted"
}

resource "cloudflare_zero_trust_access_application" "complex_nested" {
  account_id       = local.common_account_id
  name             = "${local.name_prefix} Complex"
  domain           = "${local.name_prefix}-complex.${local.app_domain_suffix}"
  session_duration = "12h"

  type                       = "self_hosted"
  http_only_cookie_attribute = false
  cors_headers = {
    allowed_methods   = ["GET", "POST"]
    allowed_origins   = ["*"]
    allow_credentials = false
    max_age           = 7200
  }
}
