# The plugin, the programs and the image carry one version: the one in the plugin's package.json, because npm reads it
# there. tests/tidy/version.mjs compares the places that must repeat it.
set(version_file ${CMAKE_CURRENT_SOURCE_DIR}/deploy/strapi-plugin/package.json)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${version_file})
if(NOT EXISTS ${version_file})
  message(FATAL_ERROR "${version_file} is missing: CMake reads the version of the programs there")
endif()
file(READ ${version_file} version_text)
string(JSON PRODUCT_VERSION ERROR_VARIABLE version_fault GET "${version_text}" version)
if(version_fault)
  message(FATAL_ERROR "${version_file} must have \"version\": \"X.Y.Z\": ${version_fault}")
elseif(NOT PRODUCT_VERSION MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
  message(FATAL_ERROR "${version_file} must have \"version\": \"X.Y.Z\", but has \"${PRODUCT_VERSION}\"")
endif()
