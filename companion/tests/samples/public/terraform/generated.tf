resource "cloudflare_access_application" "terraform_managed_resource" {
  account_id                = "11111111222243338444555555555508"
  allowed_idps              = ["11111111222243338444555555555509"]
  auto_redirect_to_identity = false
  domain                    = "test.example.com/admin"
  enable_binding_cookie     = false
  name                      = "Admin Site"
  session_duration          = "24h"
  cors_headers {
    allow_all_headers = true
    allowed_methods   = ["GET"]
    allowed_origins   = ["https://example.com"]
    max_age           = -1
  }
}
