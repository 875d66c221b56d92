// The module's tables: what nginx calls, and when.
#include "nginx/conf.hpp"
#include "nginx/directives.hpp"
#include "nginx/handlers.hpp"
#include "nginx/inner_request.hpp"
#include "nginx/limit_zone.hpp"
#include "nginx/pipeline.hpp"
#include "nginx/revocation_desk.hpp"
#include "nginx/token_desk.hpp"
#include "nginx/token_zone.hpp"
#include "nginx/worker.hpp"
#include "nginx/zone.hpp"

namespace paperboy::nginx {

namespace {

bool enter(ngx_http_phase_t& phase, ngx_http_handler_pt handler) {
  auto* const place =
      static_cast<ngx_http_handler_pt*>(ngx_array_push(&phase.handlers));
  if (place != nullptr) *place = handler;
  return place != nullptr;
}

/// Where nothing of ours is configured, nothing of ours is called.
ngx_int_t configure(ngx_conf_t* cf) {
  if (finish_rules(cf) != NGX_OK || finish_redis(cf) != NGX_OK ||
      finish_embedded(cf) != NGX_OK || finish_token_cache(cf) != NGX_OK ||
      finish_limit_zone(cf) != NGX_OK || finish_revocations(cf) != NGX_OK ||
      finish_opaque_tokens(cf) != NGX_OK) {
    return NGX_ERROR;
  }
  if (!main_conf(cf).in_use) return NGX_OK;
  if (default_zone(cf) != NGX_OK) return NGX_ERROR;
  auto* const core = static_cast<ngx_http_core_main_conf_t*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
  if (!enter(core->phases[NGX_HTTP_PREACCESS_PHASE],
             callback<preflight_handler>) ||
      !enter(core->phases[NGX_HTTP_ACCESS_PHASE], callback<access_handler>) ||
      !enter(core->phases[NGX_HTTP_LOG_PHASE], callback<release_at_end>)) {
    return NGX_ERROR;
  }
  if (!main_conf(cf).jwks.empty() || main_conf(cf).asks) {
    install_inner_filters();
  }
  install_refusal_filters();
  install_cors_filter();
  return NGX_OK;
}

ngx_http_module_t context = {
    .preconfiguration = callback<add_variables>,
    .postconfiguration = callback<configure>,
    .create_main_conf = callback<create_main_conf>,
    .init_main_conf = nullptr,
    .create_srv_conf = nullptr,
    .merge_srv_conf = nullptr,
    .create_loc_conf = callback<create_location_conf>,
    .merge_loc_conf = callback<merge_location_conf>,
};

}  // namespace

}  // namespace paperboy::nginx

ngx_module_t ngx_http_paperboy_module = {
    NGX_MODULE_V1,
    &paperboy::nginx::context,
    paperboy::nginx::commands,
    NGX_HTTP_MODULE,
    nullptr,  // init master
    paperboy::nginx::callback<paperboy::nginx::init_module>,
    paperboy::nginx::callback<paperboy::nginx::Worker::init_process>,
    nullptr,  // init thread
    nullptr,  // exit thread
    paperboy::nginx::callback<paperboy::nginx::Worker::exit_process>,
    paperboy::nginx::callback<paperboy::nginx::exit_master>,
    NGX_MODULE_V1_PADDING,
};
