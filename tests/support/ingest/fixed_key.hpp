#pragma once

// The private key of test inputs: tokens that are stored in files must be valid in every run. PKCS#8 (DER) in base64.
// It signs nothing else.

#include <string_view>

namespace clerk_strapi::tests
{

inline constexpr std::string_view fixed_key_base64 =
    "MIIEpQIBAAKCAQEA3ymoxIEZKZAV8qqdEyP28yYM5G5SNLma9q6aT946BTY4POrug+Uua0MTNZipUmfrvcbSi+PSz9MC4hUl1QAB"
    "uOhoXlP76KP+WmeTGpIj57pCSeCXro1G7AqlHOiZY2WKVrFLvfnHekEPHe8Tw0O1ENJa3vPZKCAvyeJ4VVkLJKa+WwiOv/HPolSW"
    "d6zidSAh0eaBJ2rInF8Z0JryRf2p6vEEAWCVyp6SnQyQBqU5czWECU8gRY98yF98dWXqacOQ219v6zfUIiiqTJvaepokNdg6whSf"
    "FaOhvjs+opBoyJk6FMNSnyPbJ1NPo8miR3B6dc+rW6bW1JKEgiW7oiRKFQIDAQABAoIBAANd8/Ecp+4iNMwq5tPMs+nw2QdZSSqi"
    "e92pvlcWJnbA3d7An98KX8W4II7edS+MTqVxkOh4N3+k0pZQQcURvigcDMPfk7cFQmeUYhPOJw+7L7GnQdXQXxGQpFnoG7UnaXIf"
    "ARWMsmwvYk40g6FrYOZjRhu3C7+41jLyYWTOqYX6agtzL5QUZIC0TqoqTpUyx/DHkthohrDNZcgS28xTD9kCTTmPpOl+2zo2q/2L"
    "vqvXNywDk6TgUmB4Cij69BCWPeJa59Dob5ld8GQkexyMmw8i21zckOZ1skBPHCJACKwBW8nBERKKmGHaNeCsz9JFt7g6Y8M5S9Zt"
    "KEFcIugKesECgYEA/PaiCPdT6B0iLQr/+A9977uMN8QjIzH1RW/dkW4XjDmAtBHwZHx27LYA5amYiLTGm3wI+vtBwsHcAE/OjHZU"
    "qcJJgBUNevc+tX+SdRcbhun5TgSIM1MjOjlDQs7mFzjkJ5cFfd9WegkZsLR0tcz1La9Vvf7IToXZBE7dVnCQNI8CgYEA4ddylHji"
    "GmUXPEDtwe36wVIhAvjGowAjXH0oFAGeM2weVfowy4WECx07xJx/K+FcuvpV+a2F16Vew/XfYZdKBFq+zHenUT6bNbY8IFuyfuqm"
    "WwBCb/KAonGPsBVHYygJN2GPHmDSAe8otPiTwnaP6Q+qMEJKekuRPyJnmfaa0RsCgYEA2YepXXZ6ZB8xdXSBG6sOzCoGcSosYSaj"
    "2XtSGK6Id2A3iiHnDDJv/iyg5t4Jun1iUPC/tDx+l2Ens+jtIKLdOUJG/GqeNgEJnwA+TIx7cnAfn/SLvz8eCwKVEY1kFdIpeNYI"
    "te5pqfXLbsYvmurOZ+PgIstHKyc0sNy0v5F6oIcCgYEAmXRee7oj0FGOVze7FgHRV9ipa66Esi8e1/KG8AklaMV3W25UB4ZicXbc"
    "rLy1wKgx7S66ipu4jQ3l9Xs03MgC2DCc4qwO+apzpix8cHQ+NfTVMpJbkluRwk8tljTvO9XxZTsaF0csi3npDAa3x/Pt1yv4tS/m"
    "EXEVcXO8N6aUDa8CgYEAhmvdpRvZz0aDpH+RLnqxz4ZSrPXJ6CFtyacXpEWcRDXMkJ74v7PWmmgpTGc/MKA13kdrAuMpEvQPPk/J"
    "VAtsvrH/Bsq4C1rxrXEgEUTIZ4Kx2M6Y4Wxb+TLa8Ndy4p8SP+zE+8PStJEmD+ZQv9of6vdf14gIiynS73pGpE0o5Lw=";

}
