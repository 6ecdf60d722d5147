/** The policy of every peer that has one. */
export const policy = {
  allowed_origins: ["https://admin.example.com", "https://staging.example.com"],
  allowed_methods: ["PUT", "DELETE", "PATCH"],
  allowed_headers: ["authorization", "content-type", "x-request-id"],
  allow_credentials: true,
  max_age: 600,
};

/** The policy of the relayed works: a foreign origin that may call too. */
export const foreign = { allowed_origins: ["https://admin.example.com"], allow_credentials: true };
