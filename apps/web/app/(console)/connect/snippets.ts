/** What snippets are made with: nothing that is secret, since they are shown in browsers. */
export interface Place {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly bucket: string;
  /** `host:port` of PostgreSQL, and the database's name. */
  readonly database: { readonly host: string; readonly name: string; readonly user: string };
  /** Path of `connection.json`, which has the secrets. */
  readonly connectionFile: string;
}

export interface Snippet {
  readonly id: string;
  readonly title: string;
  /** What to install, as a line to paste. */
  readonly install?: string;
  /** What must be said beside it. */
  readonly note?: string;
  readonly text: (place: Place) => string;
}

const secretOf = ({ connectionFile }: Place, path: string) =>
  `"$(python3 -c 'import json; print(json.load(open("${connectionFile}"))${path})')"`;

/** Variables that all S3 clients read; the other snippets build on it. */
export const environmentSnippet = (place: Place) => `export AWS_ENDPOINT_URL=${place.endpoint}
export AWS_DEFAULT_REGION=${place.region}
export AWS_REGION=${place.region}
export AWS_ACCESS_KEY_ID=${place.accessKeyId}
export AWS_SECRET_ACCESS_KEY=${secretOf(place, '["s3"]["secretAccessKey"]')}
export DATABASE_URL=${secretOf(place, '["postgres"]["url"]')}`;

export const snippets: readonly Snippet[] = [
  {
    id: "boto3",
    title: "boto3",
    install: "pip install boto3",
    text: ({ bucket }) => `import boto3

s3 = boto3.client("s3")
s3.upload_file("train.csv", "${bucket}", "datasets/train.csv")
for item in s3.list_objects_v2(Bucket="${bucket}").get("Contents", []):
    print(item["Key"], item["Size"])`,
  },
  {
    id: "aws",
    title: "aws",
    install: "pip install awscli",
    text: ({ bucket }) => `aws s3 ls s3://${bucket}
aws s3 cp train.csv s3://${bucket}/datasets/train.csv
aws s3 sync ./photos s3://${bucket}/photos`,
  },
  {
    id: "pytorch",
    title: "PyTorch",
    install: "pip install torch s3torchconnector",
    text: ({ bucket, endpoint, region }) => `from s3torchconnector import S3ClientConfig, S3IterableDataset
from torch.utils.data import DataLoader

dataset = S3IterableDataset.from_prefix(
    "s3://${bucket}/datasets/",
    region="${region}",
    endpoint="${endpoint}",
    transform=lambda file: (file.key, file.read()),
    enable_sharding=True,
    s3client_config=S3ClientConfig(force_path_style=True),
)
for keys, contents in DataLoader(dataset, batch_size=8, num_workers=2):
    print(keys)`,
  },
  {
    id: "tensorflow",
    title: "TensorFlow",
    install: "pip install tensorflow s3fs",
    text: ({ bucket }) => `import s3fs
import tensorflow as tf

files = s3fs.S3FileSystem()

def lines():
    for path in files.glob("${bucket}/datasets/*.csv"):
        with files.open(path, "rb") as file:
            yield from file

dataset = tf.data.Dataset.from_generator(
    lines, output_signature=tf.TensorSpec((), tf.string)
).shuffle(1000).batch(32)`,
  },
  {
    id: "datasets",
    title: "Hugging Face datasets",
    install: "pip install datasets s3fs",
    text: ({ bucket, endpoint }) => `from datasets import load_dataset

dataset = load_dataset(
    "parquet",
    data_files="s3://${bucket}/datasets/*.parquet",
    storage_options={"endpoint_url": "${endpoint}"},
    streaming=True,
)
for row in dataset["train"].shuffle(seed=1).take(3):
    print(row)`,
  },
  {
    id: "duckdb",
    title: "DuckDB",
    install: "pip install duckdb-cli",
    note: "Start duckdb in the shell that has the variables.",
    text: ({ bucket, endpoint, region }) => `INSTALL httpfs; LOAD httpfs;
CREATE SECRET overcoat (
  TYPE s3, PROVIDER config, KEY_ID getenv('AWS_ACCESS_KEY_ID'), SECRET getenv('AWS_SECRET_ACCESS_KEY'),
  ENDPOINT '${endpoint.replace(/^https?:\/\//, "")}', REGION '${region}', URL_STYLE 'path', USE_SSL ${endpoint.startsWith("https:")}
);
SELECT * FROM 's3://${bucket}/datasets/*.csv' LIMIT 10;`,
  },
  {
    id: "spark",
    title: "Spark",
    install: "pip install pyspark",
    note: "The version of hadoop-aws must be that of the Hadoop which your Spark brings.",
    text: ({ bucket, endpoint }) => `from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.config("spark.jars.packages", "org.apache.hadoop:hadoop-aws:3.4.1")
    .config("spark.hadoop.fs.s3a.endpoint", "${endpoint}")
    .config("spark.hadoop.fs.s3a.path.style.access", "true")
    .config("spark.hadoop.fs.s3a.connection.ssl.enabled", "${endpoint.startsWith("https:")}")
    .getOrCreate()
)
spark.read.csv("s3a://${bucket}/datasets/", header=True).show()`,
  },
  {
    id: "rclone",
    title: "rclone",
    install: "apt-get install rclone",
    text: ({ bucket, endpoint, region }) => `rclone config create overcoat s3 provider=Other env_auth=true \\
  endpoint=${endpoint} region=${region} force_path_style=true
rclone ls overcoat:${bucket}
rclone copy ./photos overcoat:${bucket}/photos`,
  },
  {
    id: "supabase",
    title: "Supabase",
    note: "A hosted project reaches Overcoat at a public address with TLS only: docs/supabase.md takes it there.",
    text: ({ endpoint }) => `import { createClient } from "@supabase/supabase-js";
import { createWrappers } from "@/integrations/wrappers";

const supabase = createClient(process.env.SUPABASE_URL, process.env.SUPABASE_SERVICE_ROLE_KEY);
const { getRedisSession, getAuth0User, listS3Files } = createWrappers({ database: supabase });

// The files themselves, for functions that run where ${endpoint} can be reached.
const files = await listS3Files({ prefix: "datasets/" });`,
  },
  {
    id: "psql",
    title: "psql",
    install: "apt-get install postgresql-client",
    text: ({ database }) => `# ${database.user} at ${database.host}, database ${database.name}
psql "$DATABASE_URL" -c "SELECT filename, metadata->>'size' AS size FROM s3_files LIMIT 10"
psql "$DATABASE_URL" -c "SELECT * FROM overcoat.explain('SELECT * FROM redis_sessions')"`,
  },
  {
    id: "helpers",
    title: "Next.js, Node.js, Deno",
    text: ({ bucket }) => `// S3_BUCKET=${bucket} beside the variables above
import { getRedisSession, getAuth0User, listS3Files } from "@/integrations/wrappers";

const session = await getRedisSession("4f3a");
const user = await getAuth0User("ann@example.com");
const files = await listS3Files({ prefix: "datasets/", limit: 20 });`,
  },
];
