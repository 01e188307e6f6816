"""Pages of the site that scikit-learn's HTML representation of an estimator links to."""

SITE = "https://skmetric.github.io/skmetric/"
# What `_doc_link_template` of an estimator is; scikit-learn puts in the module and the name of its class.
PAGE_IN_PACKAGE = SITE + "api/skmetric.{estimator_name}.html"
PAGE_IN_MODULE = SITE + "api/{estimator_module}.{estimator_name}.html"
