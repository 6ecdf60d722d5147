from flask import Flask, request
import requests

# We do not need a token, because this API is behind our protected LB.
TOKEN = "n0t-a-t0ken"
# Your policies audience tag
POLICY_AUD = "1111111111111111111111111111111111111111111111111111111111111104"

# Your CF Access team domain
TEAM_DOMAIN = "https://acmelogin.cloudflareaccess.com"
CERTS_URL = "{}/cdn-cgi/access/certs".format(TEAM_DOMAIN)
