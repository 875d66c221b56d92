# The nginx module: one library without a "lib" in front, in the build
# directory, against nginx's headers. Included by the CMakeLists.txt above.

set(NGINX_SOURCE_DIR /usr/share/nginx/src CACHE PATH "nginx's source tree")
set(NGINX_BUILD_DIR "" CACHE PATH
    "objs of a configured nginx; empty: a copy of the tree is configured")

# nginx's generated headers say what the binary was built with. Debian ships
# its tree unconfigured, together with the flags of its own binary.
set(nginx_source ${NGINX_SOURCE_DIR})
set(nginx_objs ${NGINX_BUILD_DIR})
if(NOT nginx_objs)
  set(nginx_source ${CMAKE_BINARY_DIR}/nginx)
  set(nginx_objs ${nginx_source}/objs)
  if(NOT EXISTS ${NGINX_SOURCE_DIR}/src/core/nginx.h)
    message(FATAL_ERROR "no nginx source in ${NGINX_SOURCE_DIR}: install "
            "nginx-dev, or set NGINX_SOURCE_DIR")
  endif()
  execute_process(
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/nginx-tree
            ${NGINX_SOURCE_DIR} ${nginx_source}
    COMMAND_ERROR_IS_FATAL ANY)
  # Another nginx in the same place: configure again.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${NGINX_SOURCE_DIR}/src/core/nginx.h)
endif()

file(GLOB nginx_sources CONFIGURE_DEPENDS src/nginx/*.cpp)
add_library(ngx_http_paperboy_module MODULE
            ${nginx_sources} src/nginx/modules.c)

# The C file holds the tables that nginx looks up; everything else is ours
# alone. nginx loads modules RTLD_GLOBAL, so what leaks meets what others leak,
# libstdc++'s inline functions included: hence the version script.
set_target_properties(ngx_http_paperboy_module PROPERTIES
  PREFIX ""
  C_VISIBILITY_PRESET default
  LINK_DEPENDS ${CMAKE_SOURCE_DIR}/src/nginx/module.map)
if(NOT CMAKE_LIBRARY_OUTPUT_DIRECTORY)
  set_target_properties(ngx_http_paperboy_module PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endif()
target_link_options(ngx_http_paperboy_module PRIVATE
  -Wl,--version-script=${CMAKE_SOURCE_DIR}/src/nginx/module.map)

# SYSTEM: nginx's headers are not held to our warnings.
set(nginx_includes ${nginx_objs})
foreach(folder core event event/modules event/quic os/unix
        http http/modules http/v2 http/v3)
  if(EXISTS ${nginx_source}/src/${folder})
    list(APPEND nginx_includes ${nginx_source}/src/${folder})
  endif()
endforeach()
target_include_directories(ngx_http_paperboy_module
  SYSTEM PRIVATE ${nginx_includes})
target_include_directories(ngx_http_paperboy_module PRIVATE src)

foreach(room session backend api broker auth dialect ws hub base)
  if(TARGET paperboy_${room})
    target_link_libraries(ngx_http_paperboy_module PRIVATE paperboy_${room})
  endif()
endforeach()
