/* The tables that nginx looks up in a dynamic module, and all it sees of us. */

#include <ngx_config.h>
#include <ngx_core.h>

extern ngx_module_t ngx_http_paperboy_module;

ngx_module_t* ngx_modules[] = {&ngx_http_paperboy_module, NULL};

char* ngx_module_names[] = {"ngx_http_paperboy_module", NULL};

char* ngx_module_order[] = {NULL};
