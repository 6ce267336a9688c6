# The packages of Debian 12 or Debian 13, and the reason for each.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)                       # Asio, Beast: one event loop, a strict HTTP/1.1 parser; System: result<T, E>
find_package(OpenSSL 3 REQUIRED)                        # HMAC, SHA-2, constant-time compare: audited, hardware-accelerated
find_package(nlohmann_json REQUIRED)                    # Strapi's stored schema and our own output; events have their own reader
find_package(spdlog REQUIRED)                           # asynchronous log sink with a bounded queue
if(NOT PROGRAMS_ONLY)
  find_package(doctest REQUIRED)                        # tests: compiles fastest of its kind
endif()
find_package(prometheus-cpp CONFIG REQUIRED)            # metrics: the exposition format, counters and histograms
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)   # Kafka: the C client, with a mock cluster for tests
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)      # PostgreSQL: transactions and prepared statements over libpq
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)          # the parser of connection strings, which libpqxx lacks
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib) # client only (send, Clerk's API): small and synchronous
find_package(CLI11 REQUIRED)                            # flags, subcommands, --help
