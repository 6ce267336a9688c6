// Kubernetes' own schemas, and KEDA's and Strimzi's, with no additional properties: like an API server
// with strict validation.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import { parse, tools } from './rendered.mjs';

export const versions = ['v1.31.0', 'v1.37.0'];

const crdFiles = ['keda.sh_scaledobjects.yaml', 'keda.sh_triggerauthentications.yaml', 'kafkatopics.yaml', 'kafkausers.yaml'];

function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties !== undefined;
  if (schema.type === 'object' && schema.properties !== undefined && !open) copy.additionalProperties = false;
  return copy;
}

// apiVersion/kind → schema
function customSchemas() {
  const found = new Map();
  for (const file of crdFiles) {
    for (const crd of parse(readFileSync(path.join(tools.crds, file), 'utf8'))) {
      for (const version of crd.spec.versions.filter(({ served }) => served)) {
        const schema = closed(version.schema?.openAPIV3Schema ?? crd.spec.validation.openAPIV3Schema);
        schema.properties = {
          ...schema.properties,
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { $ref: 'https://kubernetes.io/api/_definitions.json#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
        };
        schema.required = [...new Set([...(schema.required ?? []), 'spec'])];
        found.set(`${crd.spec.group}/${version.name}/${crd.spec.names.kind}`, schema);
      }
    }
  }
  return found;
}

const custom = customSchemas();

// For one version of Kubernetes: object → list of faults.
export function validator(version) {
  const folder = path.join(tools.schemas, version);
  const load = (file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(load('_definitions.json'), 'https://kubernetes.io/api/_definitions.json');
  const compiled = new Map();

  const schemaOf = (apiVersion, kind) => {
    const known = custom.get(`${apiVersion}/${kind}`);
    if (known !== undefined) return known;
    const [group, name] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const parts = [kind.toLowerCase(), group.split('.')[0], name].filter(Boolean);
    return load(`${parts.join('-')}.json`);
  };

  return (object) => {
    const key = `${object.apiVersion}/${object.kind}`;
    if (!compiled.has(key)) compiled.set(key, ajv.compile(schemaOf(object.apiVersion, object.kind)));
    const validate = compiled.get(key);
    if (validate(object)) return [];
    return validate.errors.map((error) => `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`);
  };
}
