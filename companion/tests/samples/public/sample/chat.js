import {
  jwtVerify,
  createRemoteJWKSet
} from "jose";

const MODEL = "@cf/example/model";
const ADMIN_EMAIL = "someone@example.com";

const TEAM_DOMAIN = "https://winter-sun-1234.cloudflareaccess.com";
const POLICY_AUD = "1111111111111111111111111111111111111111111111111111111111111103";

const JWKS = createRemoteJWKSet(
  new URL(`${TEAM_DOMAIN}/cdn-cgi/access/certs`)
);
